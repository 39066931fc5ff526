package manifests

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// maxHost bounds the work for one host, in bytes. The domain name system ends at 253 characters; escapes need more.
const maxHost = 1024

// canonicalHost returns a host as browsers compare it: percent escapes undone, Unicode names in punycode, lower case,
// addresses in their one written form ("127.1" is "127.0.0.1"), without the dot at the end.
func canonicalHost(host string) (string, bool) {
	if len(host) > maxHost {
		return "", false
	}
	host = strings.TrimSuffix(host, ".")
	if plain, number := shape(host); plain && !number {
		return host, validEnd(host)
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		addr, err := netip.ParseAddr(host[1 : len(host)-1])
		return "[" + addr.String() + "]", err == nil && addr.Is6() && addr.Zone() == ""
	}
	host, err := url.PathUnescape(host)
	if err != nil {
		return "", false
	}
	if host, err = toASCII(host); err != nil {
		return "", false
	}
	host = strings.TrimSuffix(host, ".")
	if !validEnd(host) || strings.ContainsAny(host, "#%/:<>?@[\\]^|") || strings.ContainsFunc(host, isControl) {
		return "", false
	}
	if _, number := shape(host); number {
		return parseIPv4(host)
	}
	return hostEscaper().Replace(host), true
}

// toASCII turns a Unicode name into punycode, in lower case. It is as lenient as Chromium 156.0.8078.79, which takes
// hyphens, underscores and even wrong punycode.
func toASCII(host string) (string, error) {
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false))
	ascii, err := profile.ToASCII(host)
	if err != nil && !strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		return lowerASCII(host), nil
	}
	return ascii, err
}

// hostEscaper escapes what may stand in a host but not as it is; no real host holds it.
func hostEscaper() *strings.Replacer {
	return strings.NewReplacer(" ", "%20", `"`, "%22", "`", "%60", "{", "%7B", "}", "%7D", "*", "%2A")
}

// shape reports whether host needs no work beyond a look at its labels, and whether its last label is a number, which
// makes it an address or nothing.
func shape(host string) (plain, number bool) {
	for i := range len(host) {
		c := host[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false, lastIsNumber(host)
		}
	}
	// Punycode must be checked: a wrong one is no host.
	return !strings.Contains(host, "xn--"), lastIsNumber(host)
}

func lastIsNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" {
		return false
	}
	if rest, ok := cutHex(last); ok {
		return strings.Trim(rest, "0123456789abcdefABCDEF") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

func cutHex(s string) (string, bool) {
	if len(s) >= 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		return s[2:], true
	}
	return s, false
}

// validEnd refuses the root, and two dots at the end. Chromium takes other empty labels, though no such host exists.
func validEnd(host string) bool { return host != "" && !strings.HasSuffix(host, ".") }

func isControl(r rune) bool { return r < 0x20 || r == 0x7F }

// isIP reports whether a canonical host is an address.
func isIP(host string) bool { return host != "" && (host[0] == '[' || lastIsNumber(host)) }

// parseIPv4 reads the forms that URLs allow: one to four numbers, each decimal, octal (0…) or hexadecimal (0x…), the
// last one filling what is left of the 32 bits.
func parseIPv4(host string) (string, bool) {
	numbers := strings.Split(host, ".")
	if len(numbers) > 4 {
		return "", false
	}
	var addr uint64
	for i, s := range numbers {
		base := 10
		if rest, ok := cutHex(s); ok {
			s, base = "0"+rest, 16
		} else if len(s) > 1 && s[0] == '0' {
			base = 8
		}
		n, err := strconv.ParseUint(s, base, 32)
		if err != nil {
			return "", false
		}
		if i < len(numbers)-1 {
			if n > 255 {
				return "", false
			}
			addr |= n << (24 - 8*i)
			continue
		}
		if n >= 1<<(8*(5-len(numbers))) {
			return "", false
		}
		addr |= n
	}
	ip := netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)})
	return ip.String(), true
}

// splitPort splits host:port; port keeps its colon and is "" when there is none. An IPv6 address keeps its brackets.
func splitPort(s string) (host, port string, ok bool) {
	from := 0
	if strings.HasPrefix(s, "[") {
		if from = strings.IndexByte(s, ']') + 1; from == 0 || from < len(s) && s[from] != ':' {
			return "", "", false
		}
	}
	i := strings.IndexByte(s[from:], ':')
	if i < 0 {
		return s, "", true
	}
	return s[:from+i], s[from+i:], true
}

// defaultPort returns the port of a scheme, 0 when it has none.
func defaultPort(scheme string) int {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	case "ftp":
		return 21
	}
	return 0
}

// pathEnd returns where the query of a URL begins, or its length.
func pathEnd(s string) int {
	if i := strings.IndexByte(s, '?'); i >= 0 {
		return i
	}
	return len(s)
}

// A location is the part of a URL that patterns look at.
type location struct {
	scheme schemeSet
	host   string // canonical; "" for file, data and urn
	port   int
	path   string // with the query, without the fragment
}

// parseURL splits an absolute URL. It is lenient where browsers are (upper case, user names, backslashes).
func parseURL(s string) (location, bool) {
	scheme, rest, ok := strings.Cut(s, ":")
	scheme = strings.ToLower(scheme)
	u := location{scheme: schemeOf(scheme)}
	if !ok || u.scheme == 0 {
		return u, false
	}
	rest, _, _ = strings.Cut(rest, "#")
	if u.scheme&(schemeData|schemeURN) != 0 {
		u.path = rest
		return u, rest != ""
	}
	if q := pathEnd(rest); strings.Contains(rest[:q], `\`) {
		rest = strings.ReplaceAll(rest[:q], `\`, "/") + rest[q:]
	}
	if rest, ok = strings.CutPrefix(rest, "//"); !ok {
		return u, false
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	if u.path = rest[end:]; !strings.HasPrefix(u.path, "/") {
		u.path = "/" + u.path
	}
	if u.scheme == schemeFile {
		return u, true
	}
	host, port, ok := splitPort(authority[strings.LastIndexByte(authority, '@')+1:])
	if !ok {
		return u, false
	}
	u.port = defaultPort(scheme)
	if len(port) > 1 { // a colon alone is fine in a URL
		n, err := strconv.ParseUint(port[1:], 10, 16)
		if err != nil {
			return u, false
		}
		u.port = int(n)
	}
	u.host, ok = canonicalHost(host)
	return u, ok
}
