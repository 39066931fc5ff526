package coins

import "testing"

func TestTell(t *testing.T) {
	for _, c := range []struct {
		in, kind string
		sure     bool
	}{
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "BTC", true},
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "BTC", false},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "BTC", true},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "BTC", false},
		{"0x52908400098527886e0f7030069857d2e4169ee7", "ETH", false},
		{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "ETH", true},
		{"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "ETH", false},
		{"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "ETH", true},
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TRON", true},
		{"0x0000000000000000000000000000000000000000", "", false},
		{"0x000000000000000000000000000000000000dEaD", "", false},
		{"0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE", "", false},
		{"0xffffffffffffffffffffffffffffffffffffffff", "", false},
		{"0xdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef", "ETH", false},
		{"0x1111111111111111111111111111111111111111", "ETH", true},
		{"0xAttackerAttackerAttackerAttackerAttacker", "ETH", false},
		{"bc1qcollectorcollectorcollector000000", "BTC", false},
		{"So11111111111111111111111111111111111111112", "", false},
		{"9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM", "SOL", false},
		{"d41d8cd98f00b204e9800998ecf8427e", "", false},
		{"getElementsByClassNameAndTagName", "", false},
		{"aHR0cHM6Ly9jb2xsZWN0LmV4YW1wbGU", "", false},
	} {
		if kind, sure := Tell(c.in); kind != c.kind || sure != c.sure {
			t.Errorf("%s: %q %v, want %q %v", c.in, kind, sure, c.kind, c.sure)
		}
	}
}
