// The Go side of the cases with servers: net/http.
//
// rival PORT PROCESSORS [CERTIFICATE KEY]; the two files make it HTTPS.
package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
)

const bytesMax = 64 << 20

// pattern is made at the first request that needs it.
var pattern = sync.OnceValue(func() []byte {
	line := []byte("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567.\n")
	return bytes.Repeat(line, bytesMax/len(line))
})

func hello(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("Content-Type", "text/plain")
	io.WriteString(response, "Hello, world!")
}

func many(response http.ResponseWriter, request *http.Request) {
	count, err := strconv.Atoi(request.PathValue("count"))
	if err != nil || count < 0 || count > bytesMax {
		http.NotFound(response, request)
		return
	}
	response.Header().Set("Content-Type", "text/plain")
	// Without the length the body would be sent in chunks.
	response.Header().Set("Content-Length", strconv.Itoa(count))
	response.Write(pattern()[:count])
}

func main() {
	usage := "usage: rival PORT PROCESSORS [CERTIFICATE KEY]"
	if len(os.Args) < 3 {
		log.Fatal(usage)
	}
	processors, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(usage)
	}
	runtime.GOMAXPROCS(processors)
	http.HandleFunc("GET /hello", hello)
	http.HandleFunc("GET /bytes/{count}", many)
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		// HTTP/1.1 only, as the others.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			// Full records from the first byte on, as the others.
			DynamicRecordSizingDisabled: true,
		},
	}
	server.Addr = "127.0.0.1:" + os.Args[1]
	switch len(os.Args) {
	case 3:
		log.Fatal(server.ListenAndServe())
	case 5:
		log.Fatal(server.ListenAndServeTLS(os.Args[3], os.Args[4]))
	default:
		log.Fatal(usage)
	}
}
