"""What the log says about one person, made understandable: counted, judged, drawn and put into groups."""
