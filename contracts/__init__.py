"""What crosses the wire: typed models with a published JSON Schema. Imports nothing of ours.

Every model is frozen and refuses unknown fields, so that a record means the same on both sides.
`CONTRACTS_VERSION` follows semantic versioning; central refuses a record of another major version.
"""

CONTRACTS_VERSION = "1.2.0"
