"""What each operator of the chip means, as arithmetic of CPU PyTorch on views of device memory.

One file a family; `registry` holds the table. Nothing here knows of queues, processes or the vendor's adapter.
"""
