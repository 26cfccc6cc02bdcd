"""Pictures of requests: decoded where it can do no harm, written anew, read."""
