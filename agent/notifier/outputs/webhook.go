package outputs

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

// minSecret is the least length of the key of the signature, in bytes.
const minSecret = 16

// A webhook posts events to a URL.
type webhook struct {
	url, version string
	key          []byte // nil: not signed
	client       *http.Client
	now          func() time.Time
}

func newWebhook(cfg Config, trust *tls.Config) (*webhook, error) {
	u, err := url.Parse(cfg.Webhook)
	if err != nil || u.Host == "" || u.Scheme != "https" && !localhost(u) {
		return nil, errors.New("outputs.webhook.url: it must begin with https://, so that findings cannot be read on the way")
	}
	h := &webhook{url: cfg.Webhook, version: cfg.Version, now: cfg.Now}
	if cfg.WebhookSecret != "" {
		data, err := os.ReadFile(cfg.WebhookSecret)
		if err != nil {
			return nil, fmt.Errorf("outputs.webhook.secret_file: %w", err)
		}
		if h.key = bytes.TrimSpace(data); len(h.key) < minSecret {
			return nil, fmt.Errorf("outputs.webhook.secret_file: %s holds %d bytes; a key needs %d at least", cfg.WebhookSecret, len(h.key), minSecret)
		}
	}
	proxy := http.ProxyFromEnvironment
	if cfg.Proxy != "" {
		through, err := url.Parse(cfg.Proxy)
		if err != nil || through.Host == "" || through.Scheme != "http" && through.Scheme != "https" {
			return nil, errors.New("outputs.webhook.proxy: write it as http://HOST:PORT")
		}
		proxy = http.ProxyURL(through)
	}
	h.client = &http.Client{
		Timeout: sendWithin,
		Transport: &http.Transport{Proxy: proxy, TLSClientConfig: trust, MaxIdleConns: 1,
			IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true, TLSHandshakeTimeout: sendWithin},
		// A redirect would take findings to a host that nobody set.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return h, nil
}

func localhost(u *url.URL) bool {
	return u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
}

func (h *webhook) send(ctx context.Context, key string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post to the webhook: %w", err)
	}
	stamp := strconv.FormatInt(h.now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "ExtWatch/"+headerField(h.version, 40))
	r.Header.Set("X-ExtWatch-Key", headerField(key, 256))
	r.Header.Set("X-ExtWatch-Timestamp", stamp)
	if h.key != nil {
		r.Header.Set("X-ExtWatch-Signature", sign(h.key, stamp, body))
	}
	answer, err := h.client.Do(r)
	if err != nil {
		return fmt.Errorf("post to the webhook: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return fmt.Errorf("post to the webhook: %w: %s", errRefused, answer.Status)
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("post to the webhook: it answered %s", answer.Status)
	}
	return nil
}

func (h *webhook) close() { h.client.CloseIdleConnections() }

// sign is the value of X-ExtWatch-Signature.
func sign(key []byte, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
