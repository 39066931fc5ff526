package browsers

// systemUsers returns the users that the system lists.
func (s *scan) systemUsers() []User {
	users, err := readPasswd()
	if err != nil {
		s.problem("/etc/passwd", s.reason(err))
	}
	return users
}
