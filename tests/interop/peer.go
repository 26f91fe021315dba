// A client and a server of TLS, as Go programs write them; peer.py is alike.
//
//	peer client PORT DIRECTORY   does what each line of standard input asks:
//	                             VERSION [PROTOCOLS] NAME:CERTIFICATE ..
//	                             and prints a line about the last visit of each
//	peer server DIRECTORY CERTIFICATE [demand]
//	                             prints its port, and tells each client what it
//	                             sees of the connection
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"
)

const watchdog = 60 * time.Second

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func authority(directory string) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(must(os.ReadFile(directory + "/ca.pem")))
	return pool
}

func certificate(directory, name string) tls.Certificate {
	return must(tls.LoadX509KeyPair(directory+"/"+name+".pem", directory+"/"+name+".key"))
}

func version(number uint16) string {
	return map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}[number]
}

func yes(it bool) string {
	if it {
		return "yes"
	}
	return "no"
}

// One session for all hosts: Go's own cache would not offer it to another.
type session struct{ kept *tls.ClientSessionState }

func (s *session) Get(string) (*tls.ClientSessionState, bool) { return s.kept, s.kept != nil }

func (s *session) Put(_ string, kept *tls.ClientSessionState) { s.kept = kept }

func visit(address string, config *tls.Config) (string, error) {
	connection, err := tls.Dial("tcp", address, config)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(watchdog))
	if _, err := io.WriteString(connection, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return "", err
	}
	_, told, _ := strings.Cut(string(answer), "\r\n\r\n")
	told = strings.TrimSpace(told)
	// What this end finds must be what the server has told.
	state := connection.ConnectionState()
	for _, own := range []string{
		" version=" + version(state.Version) + " ",
		" alpn=" + state.NegotiatedProtocol + " ",
		" resumed=" + yes(state.DidResume) + " ",
	} {
		if !strings.Contains(told, own) {
			log.Fatalf("%q is not in %q", own, told)
		}
	}
	return told + " group=" + state.CurveID.String(), nil
}

func client(port, directory string) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		kept := &session{}
		answer := ""
		for _, where := range words[2:] {
			name, holder, _ := strings.Cut(where, ":")
			config := &tls.Config{
				RootCAs:            authority(directory),
				ServerName:         name,
				ClientSessionCache: kept,
				MinVersion:         tls.VersionTLS12,
				MaxVersion:         tls.VersionTLS13,
			}
			if words[0] == "TLSv1.2" {
				config.MaxVersion = tls.VersionTLS12
			} else {
				config.MinVersion = tls.VersionTLS13
			}
			// Without a name it verifies the address, and sends neither.
			if protocols := strings.Trim(words[1], "[]"); protocols != "" {
				config.NextProtos = strings.Split(protocols, ",")
			}
			if holder != "" {
				config.Certificates = []tls.Certificate{certificate(directory, holder)}
				// Also where the server's list of authorities has not its own.
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return &config.Certificates[0], nil
				}
			}
			told, err := visit("127.0.0.1:"+port, config)
			if err != nil {
				told = "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
			}
			answer = told
		}
		fmt.Println(answer)
	}
}

func serve(connection *tls.Conn) error {
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(watchdog))
	head := bufio.NewReader(connection)
	for {
		line, err := head.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	state := connection.ConnectionState()
	who := ""
	if len(state.PeerCertificates) > 0 {
		who = state.PeerCertificates[0].DNSNames[0]
	}
	_, err := fmt.Fprintf(connection,
		"HTTP/1.0 200 OK\r\n\r\ntold host=go version=%s alpn=%s sni=%s resumed=%s client=%s end group=%s\n",
		version(state.Version), state.NegotiatedProtocol, state.ServerName,
		yes(state.DidResume), who, state.CurveID)
	return err
}

func server(directory, name string, demand bool) {
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate(directory, name)},
		NextProtos:   []string{"http/1.1", "pop3"},
		MinVersion:   tls.VersionTLS12,
	}
	if demand {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = authority(directory)
	}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection := must(listener.Accept())
		go func() {
			// A refused client is judged by what it says itself.
			if err := serve(tls.Server(connection, config)); err != nil {
				fmt.Println("failed:", err)
			}
		}()
	}
}

func main() {
	switch os.Args[1] {
	case "client":
		client(os.Args[2], os.Args[3])
	case "server":
		server(os.Args[2], os.Args[3], len(os.Args) > 4)
	}
}
