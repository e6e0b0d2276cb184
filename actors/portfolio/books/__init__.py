"""What the account holds and what it is worth: the ledger, positions, currencies, marks."""
