package cli

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures/feed/server"
)

type feedServe struct {
	feedFlags
	listen, cert, key string
	hosts             []string
}

func newFeedServe(c *console) *cobra.Command {
	f := &feedServe{}
	cmd := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Serve a feed over HTTPS, for small fleets and for trying",
		Long: `Serves the feed's public folder, and tells connected machines at once when something was published. Any web server
does as well, but for that. Without --cert it makes a certificate of its own and keeps it in DIR/serve; give
DIR/serve/certificate.pem to your machines as the certificate authority of the feed.`,
		Example: `  extwatch feed serve --dir /srv/feed --cert fullchain.pem --key privkey.pem
  extwatch feed serve --host feed.corp.example`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), c) },
	}
	f.folder(cmd)
	cmd.Flags().StringVar(&f.listen, "listen", ":8443", "`ADDRESS` and port to listen on")
	cmd.Flags().StringVar(&f.cert, "cert", "", "`FILE` of the certificate, with those above it (PEM)")
	cmd.Flags().StringVar(&f.key, "key", "", "`FILE` of its private key (PEM)")
	cmd.Flags().StringArrayVar(&f.hosts, "host", nil, "`NAME` or address by which machines reach it, for a certificate of its own")
	return cmd
}

func (f *feedServe) run(ctx context.Context, c *console) error {
	if (f.cert == "") != (f.key == "") {
		return usage("give both, or none", "--cert and --key belong together")
	}
	if _, err := f.open(c); err != nil {
		return err
	}
	cert, err := f.certificate(c)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return failed("choose another --listen ADDRESS", "cannot listen on %s: %w", f.listen, err)
	}
	lines := []string{"serving " + filepath.Join(f.dir, "public") + " at https://" + l.Addr().String() + "/"}
	if f.cert == "" {
		lines = append(lines, "certificate: "+filepath.Join(f.dir, "serve", "certificate.pem"), "  SHA-256 "+server.Fingerprint(cert))
	}
	if err := c.print(lines...); err != nil {
		l.Close()
		return err
	}
	return server.Serve(ctx, server.Config{Public: filepath.Join(f.dir, "public"), Listener: l, Certificate: cert})
}

func (f *feedServe) certificate(c *console) (tls.Certificate, error) {
	if f.cert != "" {
		cert, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return cert, failed("both are PEM files, and belong together", "read the certificate: %w", err)
		}
		return cert, nil
	}
	hosts := f.hosts
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
		if name, err := os.Hostname(); err == nil {
			hosts = append(hosts, name)
		}
	}
	return server.SelfMade(filepath.Join(f.dir, "serve"), hosts, c.now())
}
