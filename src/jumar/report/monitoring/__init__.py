"""What an operator's tools show of the chips of a server: readings, exporters' metrics, a dashboard and alert rules."""
