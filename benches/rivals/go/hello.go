// The Go side of `compare http https`: net/http on one processor.
//
// rival PORT [CERTIFICATE KEY]; the two files make it HTTPS.
package main

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	http.HandleFunc("/hello", func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "text/plain")
		io.WriteString(response, "Hello, world!")
	})
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		// HTTP/1.1 only, as the others.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	switch len(os.Args) {
	case 2:
		server.Addr = "127.0.0.1:" + os.Args[1]
		log.Fatal(server.ListenAndServe())
	case 4:
		server.Addr = "127.0.0.1:" + os.Args[1]
		log.Fatal(server.ListenAndServeTLS(os.Args[2], os.Args[3]))
	default:
		log.Fatal("usage: rival PORT [CERTIFICATE KEY]")
	}
}
