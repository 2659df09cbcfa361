# SMS and status reports to mail: begins with the first gateway that can receive.
