"""The YANG schema: libyang's context, a light view of its nodes, references between shards."""
