"""A Weaviate of one or several nodes on loopback, for the real client: REST and gRPC, and faults on demand.

It behaves as v1.39.0 was measured to; `tests/connectors/store/test_weaviate_fake.py` holds it to that.
"""
