"""IAM's policy language: documents, condition operators, and the decision. Pure; knows nothing of servers."""
