"""What is done to colours: transfers, lights, tables, augmentations."""
