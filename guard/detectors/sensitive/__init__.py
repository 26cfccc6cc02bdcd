"""What should not be told: personal data and credentials, found as they are written."""
