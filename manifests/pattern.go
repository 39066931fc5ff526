package manifests

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

const (
	allURLs = "<all_urls>"
	anyPort = -1
	// maxPattern is the longest match pattern read, in bytes. Real ones stay below some hundred.
	maxPattern = 64 << 10
)

// A schemeSet is a set of URL schemes, one bit each.
type schemeSet uint16

const (
	schemeHTTP schemeSet = 1 << iota
	schemeHTTPS
	schemeWS
	schemeWSS
	schemeFTP
	schemeFile
	schemeChrome
	schemeChromeExtension
	schemeMozExtension
	schemeData
	schemeURN

	// Chromium takes "*" as http and https; Firefox adds the two WebSocket schemes. The wider one is used, so that no
	// reach is missed.
	schemesStar = schemeHTTP | schemeHTTPS | schemeWS | schemeWSS
	schemesAll  = schemesStar | schemeFTP | schemeFile | schemeData
	// schemesBare have no host: only a path follows.
	schemesBare = schemeFile | schemeData | schemeURN
)

func schemeOf(name string) schemeSet {
	switch name {
	case "http":
		return schemeHTTP
	case "https":
		return schemeHTTPS
	case "ws":
		return schemeWS
	case "wss":
		return schemeWSS
	case "ftp":
		return schemeFTP
	case "file":
		return schemeFile
	case "chrome":
		return schemeChrome
	case "chrome-extension":
		return schemeChromeExtension
	case "moz-extension":
		return schemeMozExtension
	case "data":
		return schemeData
	case "urn":
		return schemeURN
	}
	return 0
}

// A Pattern is a match pattern: "<all_urls>", or scheme://host/path where the scheme may be "*", the host "*" or
// "*.example.com", and the path holds any number of "*". It follows Chromium (extensions/common/url_pattern.cc), and
// MDN for Firefox's schemes. The zero Pattern covers nothing. Patterns may be used from several goroutines.
type Pattern struct {
	all     bool      // <all_urls>
	schemes schemeSet // one, or those of "*" or <all_urls>
	scheme  string    // as written
	host    string    // canonical: lower case, punycode, no dot at the end; "" is any host
	subs    bool      // subdomains of host too
	port    int       // anyPort or the port
	path    glob
}

// ParsePattern parses a match pattern. The error says, naming the pattern, why no browser takes it.
func ParsePattern(s string) (Pattern, error) {
	if s == allURLs {
		return Pattern{all: true, schemes: schemesAll, scheme: "*", port: anyPort, path: newGlob("/*")}, nil
	}
	p, err := parsePattern(s)
	if err != nil {
		return Pattern{}, fmt.Errorf("%q is not a match pattern: %w", clip(s), err)
	}
	return p, nil
}

func parsePattern(s string) (Pattern, error) {
	if len(s) > maxPattern {
		return Pattern{}, errors.New("it is too long")
	}
	scheme, rest, standard := strings.Cut(s, "://")
	if !standard {
		var colon bool
		if scheme, rest, colon = strings.Cut(s, ":"); !colon {
			return Pattern{}, errors.New("it has no scheme")
		}
	}
	p := Pattern{scheme: scheme, schemes: schemeOf(scheme), port: anyPort}
	if scheme == "*" {
		p.schemes = schemesStar
	}
	switch {
	case p.schemes == 0:
		return Pattern{}, fmt.Errorf("extensions cannot have the scheme %q", clip(scheme))
	case standard != (p.schemes&(schemeData|schemeURN) == 0):
		return Pattern{}, errors.New("the wrong separator follows its scheme")
	case rest == "":
		return Pattern{}, errors.New("nothing follows its scheme")
	case !standard:
		p.path = newGlob(rest)
		return p, nil
	}
	host, path, found := strings.Cut(rest, "/")
	if p.schemes == schemeFile {
		if !found {
			path = rest // file://foo* is read as file:///foo*, and file://host/foo as file:///foo
		}
		p.path = newGlob("/" + path)
		return p, nil
	}
	if !found {
		return Pattern{}, errors.New("it has no path; add /*")
	}
	p.path = newGlob("/" + path)
	return p, p.setHost(host)
}

// setHost reads host[:port].
func (p *Pattern) setHost(s string) error {
	host, port, ok := splitPort(s)
	if !ok {
		return errors.New("its host is not valid")
	}
	if port != "" && port != ":*" {
		n, err := strconv.Atoi(port[1:])
		// As Chromium: a port can be given only for a scheme that has ports, so not for "*".
		if err != nil || n < 0 || n > 65535 || defaultPort(p.scheme) == 0 {
			return errors.New("its port is not valid")
		}
		p.port = n
	}
	if host == "*" {
		p.subs = true
		return nil
	}
	if after, ok := strings.CutPrefix(host, "*."); ok {
		host, p.subs = after, true
	}
	if host == "" {
		return errors.New("its host is empty")
	}
	if strings.Contains(host, "*") {
		return errors.New(`in its host, * may only stand alone or first, before a dot`)
	}
	if p.host, ok = canonicalHost(host); !ok {
		return errors.New("its host is not valid")
	}
	if isIP(p.host) {
		p.subs = false // addresses have no subdomains
	}
	return nil
}

// String returns the pattern in canonical form.
func (p Pattern) String() string {
	switch {
	case p.all:
		return allURLs
	case p.schemes == 0:
		return ""
	case p.schemes&(schemeData|schemeURN) != 0:
		return p.scheme + ":" + p.path.text
	case p.schemes == schemeFile:
		return p.scheme + "://" + p.path.text
	}
	host := p.host
	if p.host == "" {
		host = "*"
	} else if p.subs {
		host = "*." + host
	}
	if p.port != anyPort {
		host += ":" + strconv.Itoa(p.port)
	}
	return p.scheme + "://" + host + p.path.text
}

// MatchesURL reports whether the pattern covers the absolute URL. Its fragment does not count.
func (p Pattern) MatchesURL(url string) bool {
	u, ok := parseURL(url)
	if !ok || p.schemes&u.scheme == 0 {
		return false
	}
	if p.all {
		return true
	}
	if u.scheme&schemesBare == 0 && !(p.coversHost(u.host) && (p.port == anyPort || p.port == u.port)) {
		return false
	}
	return p.path.matches(u.path)
}

// MatchesDomain reports whether the pattern covers some web page of the domain or of a domain below it:
// "https://www.example.com/*" and "*://*.com/*" both do for "example.com".
func (p Pattern) MatchesDomain(domain string) bool {
	domain, ok := canonicalHost(domain)
	return ok && p.schemes&schemesStar != 0 &&
		(p.coversHost(domain) || isBelow(p.host, domain))
}

// Host returns the host in canonical form: "*" for any, "*.binance.com" with its subdomains, "binance.com" without. Browsers
// undo other spellings (percent escapes, full-width letters) before they compare, so the text of a pattern says little.
func (p Pattern) Host() string {
	switch {
	case p.host == "":
		return "*"
	case p.subs:
		return "*." + p.host
	}
	return p.host
}

// Broad reports whether the pattern covers all web sites, or all below a public suffix as "*://*.com/*" does. The path
// and port are not looked at.
func (p Pattern) Broad() bool {
	switch {
	case p.schemes&schemesStar == 0:
		return false
	case p.host == "":
		return true
	case !p.subs:
		return false
	}
	// Suffixes of private owners ("github.io") and unknown names ("localhost") do not count, as in Chromium.
	suffix, icann := publicsuffix.PublicSuffix(p.host)
	return icann && suffix == p.host
}

// Contains reports whether every URL that q covers is covered by p.
func (p Pattern) Contains(q Pattern) bool {
	switch {
	case q.schemes == 0:
		return true
	case q.schemes&^p.schemes != 0:
		return false
	case p.all:
		return true
	case q.all:
		return false
	case q.schemes&schemesBare != 0:
		return p.path.contains(q.path)
	case p.host != "" && (q.host == "" || q.subs && !p.subs || !p.coversHost(q.host)):
		return false
	}
	return p.coversPort(q) && p.path.contains(q.path)
}

// coversPort reports whether p's port includes q's.
func (p Pattern) coversPort(q Pattern) bool { return p.port == anyPort || p.port == q.port }

// Overlaps reports whether some URL is covered by both.
func (p Pattern) Overlaps(q Pattern) bool {
	shared := p.schemes & q.schemes
	switch {
	case shared == 0:
		return false
	case p.all || q.all:
		return true
	case shared&schemesBare != 0:
		return p.path.overlaps(q.path)
	}
	hosts := p.coversHost(q.host) || q.coversHost(p.host)
	return hosts && (p.coversPort(q) || q.port == anyPort) && p.path.overlaps(q.path)
}

// coversHost reports whether the canonical host is the pattern's or, where the pattern says so, one below it.
func (p Pattern) coversHost(host string) bool {
	return p.host == "" || p.host == host || p.subs && isBelow(host, p.host)
}

// isBelow reports whether host is a subdomain of domain. An address never is: its last label is a number, and a
// domain that ends in one is no valid host.
func isBelow(host, domain string) bool {
	n := len(host) - len(domain)
	return n > 1 && domain != "" && host[n-1] == '.' && host[n:] == domain
}
