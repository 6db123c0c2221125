"""Stand-ins and the supervisor that runs them: real servers on loopback, for the demo and the tests."""
