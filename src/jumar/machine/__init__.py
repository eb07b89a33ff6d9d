"""One virtual server: native core and operators put together, and how a program is attached to it."""
