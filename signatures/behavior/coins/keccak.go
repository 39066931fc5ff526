package coins

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// eip55 checks the letter case of an Ethereum address (without 0x) against the hash of its lower-case form.
func eip55(s string) bool {
	lower := strings.ToLower(s)
	sum := keccak256([]byte(lower))
	for i := range len(s) {
		nibble := sum[i/2] >> 4
		if i%2 == 1 {
			nibble = sum[i/2] & 15
		}
		if c := lower[i]; c >= 'a' && (s[i] != c) != (nibble >= 8) {
			return false
		}
	}
	return true
}

// keccak256 is the hash that Ethereum uses: SHA-3 as it was before its padding changed, for texts of less than one block.
// The standard library has only the later form.
func keccak256(text []byte) [32]byte {
	const rate = 136
	var block [rate]byte
	if copy(block[:], text) < len(text) || len(text) >= rate {
		return [32]byte{}
	}
	block[len(text)] ^= 0x01
	block[rate-1] ^= 0x80
	var a [25]uint64
	for i := range rate / 8 {
		a[i] = binary.LittleEndian.Uint64(block[8*i:])
	}
	keccakF(&a)
	var out [32]byte
	for i := range 4 {
		binary.LittleEndian.PutUint64(out[8*i:], a[i])
	}
	return out
}

func keccakF(a *[25]uint64) {
	lfsr := uint8(1)
	for range 24 {
		var c [5]uint64
		for x := range 5 {
			c[x] = a[x] ^ a[x+5] ^ a[x+10] ^ a[x+15] ^ a[x+20]
		}
		for x := range 5 {
			d := c[(x+4)%5] ^ bits.RotateLeft64(c[(x+1)%5], 1)
			for y := range 5 {
				a[x+5*y] ^= d
			}
		}
		x, y, cur := 1, 0, a[1]
		for t := range 24 {
			x, y = y, (2*x+3*y)%5
			cur, a[x+5*y] = a[x+5*y], bits.RotateLeft64(cur, (t+1)*(t+2)/2%64)
		}
		for y := range 5 {
			var row [5]uint64
			copy(row[:], a[5*y:5*y+5])
			for x := range 5 {
				a[x+5*y] = row[x] ^ ^row[(x+1)%5]&row[(x+2)%5]
			}
		}
		for j := range 7 { // the round constant, bit by bit
			if lfsr&1 == 1 {
				a[0] ^= 1 << (1<<j - 1)
			}
			high := lfsr & 0x80
			lfsr <<= 1
			if high != 0 {
				lfsr ^= 0x71
			}
		}
	}
}
