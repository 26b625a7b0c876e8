"""HTTP requests into what the service and the engine do: the REST API, the webhook intake, the sessions."""
