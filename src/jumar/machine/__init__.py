"""One virtual server: native core, operators and later physics put together; and how a program is attached to it."""
