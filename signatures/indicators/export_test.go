package indicators

import (
	"encoding/binary"
	"slices"
)

// Resum gives data the checksum that it should have.
func Resum(data []byte) []byte {
	data = slices.Clone(data)
	if len(data) >= headerSize {
		binary.LittleEndian.PutUint32(data[12:], checksum(data))
	}
	return data
}
