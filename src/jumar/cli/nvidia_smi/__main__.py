"""Starts the command."""

import sys

from jumar.cli.nvidia_smi.command import main

sys.exit(main(sys.argv[1:]))
