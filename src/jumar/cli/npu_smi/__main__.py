"""Starts the command."""

import sys

from jumar.cli.npu_smi.command import main

sys.exit(main(sys.argv[1:]))
