"""The parts of `http.send`: its parameters, the sending, the answer as a value, and what is kept between queries."""
