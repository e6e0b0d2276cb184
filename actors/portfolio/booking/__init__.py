"""What changes the ledger: fills, settlements, conversions, liquidations."""
