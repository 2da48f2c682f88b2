"""Analytics over the trail: measures written once, run on Parquet through DuckDB or on the log's own database."""
