"""Acts on paper: receipts, trails, destruction acts as PDF, sealed with the office's signature."""
