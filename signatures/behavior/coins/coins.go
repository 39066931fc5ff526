// Package coins recognises addresses of coins by their form and their checksums.
package coins

import (
	"crypto/sha256"
	"math/big"
	"strings"
)

// Tell tells the coin of an address by its form. sure is set when a checksum agrees; a thief's address need not
// have one.
func Tell(s string) (coin string, sure bool) {
	n := len(s)
	if n < 25 || n > 110 {
		return "", false
	}
	switch {
	case strings.HasPrefix(s, "0x") && n == 42 && all(s[2:], hexDigits):
		if varied(s[2:]) || invented(s[2:]) {
			return "ETH", eip55(s[2:])
		}
	case strings.HasPrefix(s, "0x") && n == 42 && all(s[2:], alphanumeric): // in the place of one; no code has another use for it
		return "ETH", false
	case strings.HasPrefix(s, "bc1") || strings.HasPrefix(s, "ltc1") || strings.HasPrefix(s, "tb1"):
		_, data, _ := strings.Cut(s, "1")
		if n >= 42 && n <= 90 && all(data, bech32Digits) {
			coin = "BTC"
			if s[0] == 'l' {
				coin = "LTC"
			}
			return coin, bech32(s)
		}
		if n <= 62 && all(s, alphanumeric[:36]) {
			return "BTC", false
		}
	case n >= 25 && n <= 36 && all(s, base58Digits) && varied(s):
		return base58Coin(s)
	case n >= 43 && n <= 44 && all(s, base58Digits) && varied(s) && hasDigit(s) && hasLower(s) && hasUpper(s):
		if b := decode58(s); len(b) == 32 {
			return "SOL", false
		}
	}
	return "", false
}

// invented says whether digits are those of an address that somebody made up, such as deadbeef…: of few digits, but not of
// zeros, and not one digit that stands for "none" or "the native coin".
func invented(s string) bool {
	s = strings.ToLower(s)
	if strings.Count(s, s[:1]) == len(s) {
		return !strings.ContainsAny(s[:1], "0ef")
	}
	return strings.Count(s, "0") <= len(s)/2 && strings.Count(s, "e") < len(s)-4 && strings.Count(s, "f") < len(s)-4
}

func base58Coin(s string) (string, bool) {
	if !hasDigit(s) || !hasLower(s) || !hasUpper(s) {
		return "", false
	}
	coin := ""
	n := len(s)
	switch s[0] {
	case '1', '3':
		if n >= 26 && n <= 35 {
			coin = "BTC"
		}
	case 'T':
		if n == 34 {
			coin = "TRON"
		}
	case 'L', 'M':
		if n >= 33 && n <= 34 {
			coin = "LTC"
		}
	case 'D':
		if n == 34 {
			coin = "DOGE"
		}
	case 'r':
		if n >= 28 && n <= 35 {
			coin = "XRP"
		}
	}
	if coin == "" {
		return "", false
	}
	return coin, coin != "XRP" && base58Check(s)
}

const (
	hexDigits    = "0123456789abcdefABCDEF"
	base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	bech32Digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
)

func all(s, digits string) bool {
	for i := range len(s) {
		if strings.IndexByte(digits, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// varied excludes fillers such as 0x000…0 and 0xeee…e, which stand for "none" or "the native coin".
func varied(s string) bool {
	seen := map[byte]bool{}
	for i := range len(s) {
		seen[s[i]] = true
	}
	return len(seen) >= 8
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }
func hasLower(s string) bool { return strings.ToUpper(s) != s }
func hasUpper(s string) bool { return strings.ToLower(s) != s }

func decode58(s string) []byte {
	n := new(big.Int)
	for i := range len(s) {
		n.Mul(n, big.NewInt(58))
		n.Add(n, big.NewInt(int64(strings.IndexByte(base58Digits, s[i]))))
	}
	b := n.Bytes()
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	return append(make([]byte, zeros), b...)
}

func base58Check(s string) bool {
	b := decode58(s)
	if len(b) < 5 {
		return false
	}
	body, sum := b[:len(b)-4], b[len(b)-4:]
	h := sha256.Sum256(body)
	h = sha256.Sum256(h[:])
	return string(h[:4]) == string(sum)
}

// bech32 checks the sum of a SegWit address, in its first form or in the one of BIP-350.
func bech32(s string) bool {
	i := strings.LastIndexByte(s, '1')
	if i < 1 {
		return false
	}
	chk := uint32(1)
	step := func(v byte) {
		gen := [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
		top := chk >> 25
		chk = (chk&0x1ffffff)<<5 ^ uint32(v)
		for k := range 5 {
			if top>>k&1 == 1 {
				chk ^= gen[k]
			}
		}
	}
	for k := range i {
		step(s[k] >> 5)
	}
	step(0)
	for k := range i {
		step(s[k] & 31)
	}
	for k := i + 1; k < len(s); k++ {
		step(byte(strings.IndexByte(bech32Digits, s[k])))
	}
	return chk == 1 || chk == 0x2bc830a3
}
