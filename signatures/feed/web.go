package feed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// slowest is the rate, in bytes a second, below which a target's download is given up: a mirror that drips bytes holds an
// update up for minutes, not for ever.
const slowest = 32 << 10

// A web is a mirror on a web server.
type web struct {
	cfg    Config
	base   *url.URL
	client *http.Client

	tag    string // ETag of timestamp.json and what came with it
	tagged []byte
}

// newClient makes the client that all mirrors share.
func newClient(cfg Config) (*http.Client, error) {
	var client http.Client
	if cfg.Client != nil {
		client = *cfg.Client
	} else {
		transport, err := newTransport(cfg)
		if err != nil {
			return nil, err
		}
		client.Transport = transport
	}
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > cfg.Limits.Redirects {
			return fmt.Errorf("more than %d redirects", cfg.Limits.Redirects)
		}
		last := via[len(via)-1].URL
		ok := req.URL.Scheme == "https" ||
			req.URL.Scheme == "http" && last.Scheme == "http" && (cfg.AllowHTTP || isLoopback(req.URL.Hostname()))
		if !ok {
			return fmt.Errorf("a redirect from %s to %s://%s is not followed", last.Scheme, req.URL.Scheme, req.URL.Host)
		}
		return nil
	}
	return &client, nil
}

func newTransport(cfg Config) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // lengths are of what is signed
		TLSHandshakeTimeout:    cfg.Limits.Request,
		ResponseHeaderTimeout:  cfg.Limits.Request,
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 64 << 10,
	}
	switch cfg.Proxy {
	case "":
	case "none":
		t.Proxy = nil
	default:
		u, err := url.Parse(cfg.Proxy)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("the feed's proxy %q is not an address such as http://proxy.example:3128", cfg.Proxy)
		}
		t.Proxy = http.ProxyURL(u)
	}
	if len(cfg.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(cfg.CA) {
			return nil, errors.New("the feed's CA holds no certificate; a file with -----BEGIN CERTIFICATE----- is needed")
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return t, nil
}

func (w *web) request(ctx context.Context, name string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base.JoinPath(name).String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", w.cfg.Agent)
	req.Header.Set("Accept-Encoding", "identity") // also keeps a given client from unpacking
	return req, nil
}

func (w *web) get(ctx context.Context, name string, limit int64) ([]byte, error) {
	wait := w.cfg.Limits.Request
	if strings.HasPrefix(name, "targets/") {
		wait += time.Duration(limit/slowest) * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	req, err := w.request(ctx, name)
	if err != nil {
		return nil, err
	}
	conditional := name == "metadata/timestamp.json"
	if conditional {
		req.Header.Set("Cache-Control", "no-cache") // a proxy's old copy would hold updates up
		if w.tag != "" {
			req.Header.Set("If-None-Match", w.tag)
		}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if conditional && w.tag != "" && resp.StatusCode == http.StatusNotModified {
		return w.tagged, nil
	}
	if err := w.status(resp, name); err != nil {
		return nil, err
	}
	if resp.ContentLength > limit {
		return nil, &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s has %d bytes; %d are allowed", name, resp.ContentLength, limit)}
	}
	data, err := readAtMost(resp.Body, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if conditional {
		if w.tag = resp.Header.Get("ETag"); len(w.tag) > 256 {
			w.tag = ""
		}
		w.tagged = data
	}
	return data, nil
}

func (w *web) status(resp *http.Response, name string) error {
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return fmt.Errorf("%s came packed (%.20q), which nobody asked for", name, e)
	}
	code := resp.StatusCode
	if code == http.StatusOK {
		return nil
	}
	// Some object stores say 403 or 410 for what isn't there. A mirror may hide the next root anyway, so no more is believed.
	if strings.HasSuffix(name, ".root.json") && (code == http.StatusForbidden || code == http.StatusGone) {
		code = http.StatusNotFound
	}
	return &metadata.ErrDownloadHTTP{StatusCode: code, URL: w.base.JoinPath(name).Redacted()}
}
