# One image with the manager and the receiver, and nothing else but the certificates of public authorities.
# A release names the image that it is built with by its digest: --build-arg GO_IMAGE=golang:1.26@sha256:...
ARG GO_IMAGE=golang:1.26
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
# The release, such as v1.2.3.
ARG VERSION
# The same sources give the same bytes: no paths, no build ID, no revision, no C. Without grpcnotrace the linker has to keep every method of every
# type, for the templates of a page that nobody serves: a third of the program.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -tags grpcnotrace -trimpath -buildvcs=false -ldflags="-s -w -buildid= -X github.com/mailvane/mailvane/internal/version.set=$VERSION" -o /out/ ./cmd/manager ./cmd/receiver

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/manager /out/receiver /
USER 65532:65532
