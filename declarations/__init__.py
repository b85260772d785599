"""Pure customs law: rule packs, eligibility, money and measures, and the one evaluator."""
