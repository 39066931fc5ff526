package indicators

import (
	"encoding/binary"
	"slices"
)

// Resum gives data the checksum that it should have.
func Resum(data []byte) []byte {
	data = slices.Clone(data)
	if len(data) >= headerSize {
		binary.LittleEndian.PutUint32(data[12:], checksum(data, func() {}))
	}
	return data
}

// The forms, for comparison with their regular expressions.
var Forms = map[string]func(string) bool{
	`^[a-z0-9]+([.-][a-z0-9]+)*$`:                                             isSlug,
	`^[a-z]+( [a-z]+)*$`:                                                      isBrowsers,
	`^[0-9A-Za-z]([._+-]?[0-9A-Za-z_+-]+)*[.]?$`:                              isVersion,
	`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`: isDomain,
}
