"""Parts of Apex under contrib that are simple."""
