"""What is asked: rules, classification, identifiers, checklist, policy."""
