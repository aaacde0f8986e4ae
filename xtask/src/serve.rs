//! A plain static file server: no header but the type and the length of what it sends.

use anyhow::{Context, Result, anyhow, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tiny_http::{Header, Method, Request, Response, Server};

/// What `cargo xtask serve` was asked for.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// The path below which the site appears; begins and ends with a slash.
    pub base: String,
    /// Whether to build the site first.
    pub build: bool,
}

impl Options {
    /// Reads the arguments of `serve`.
    pub fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            port: 8080,
            base: "/".to_owned(),
            build: true,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (arg.as_str(), None),
            };
            let mut value = || {
                inline
                    .or_else(|| args.next().map(String::as_str))
                    .with_context(|| format!("{name} needs a value"))
            };
            match name {
                "--port" => {
                    let port = value()?;
                    options.port = port
                        .parse()
                        .with_context(|| format!("`{port}` is not a port"))?;
                }
                "--base" => {
                    let base = value()?.trim_matches('/');
                    options.base = if base.is_empty() {
                        "/".to_owned()
                    } else {
                        format!("/{base}/")
                    };
                }
                "--no-build" => options.build = false,
                _ => bail!("`serve` has no option `{arg}`; see `cargo xtask help`"),
            }
        }
        Ok(options)
    }
}

/// Serves a folder until the process is ended.
pub fn serve(folder: &Path, options: &Options) -> Result<()> {
    if !folder.join("index.html").is_file() {
        bail!(
            "{} has no index.html; run `cargo xtask build`",
            folder.display()
        );
    }
    let server = Server::http(("127.0.0.1", options.port)).map_err(|error| {
        anyhow!(
            "cannot listen on port {}: {error}; choose another with --port",
            options.port
        )
    })?;
    let address = server.server_addr().to_ip().context("no address")?;
    println!(
        "Serving {} at http://{address}{}",
        folder.display(),
        options.base
    );

    // A browser keeps several connections open; one slow download must not hold up the rest.
    let server = Arc::new(server);
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (server, folder, base) = (server.clone(), folder.to_owned(), options.base.clone());
            std::thread::spawn(move || {
                for request in server.incoming_requests() {
                    answer(request, &folder, &base);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().map_err(|_| anyhow!("the server stopped"))?;
    }
    Ok(())
}

fn answer(request: Request, folder: &Path, base: &str) {
    // A client that went away is no concern of ours, hence the dropped results.
    if !matches!(request.method(), Method::Get | Method::Head) {
        let _ = request.respond(Response::empty(405));
        return;
    }
    let path = request
        .url()
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned();
    if path == base.trim_end_matches('/') && base != "/" {
        // Relative addresses only work below the slash.
        let _ = request.respond(Response::empty(308).with_header(header("Location", base)));
        return;
    }
    let file = resolve(&path, folder, base).and_then(|file| Some((File::open(&file).ok()?, file)));
    let _ = match file {
        Some((content, file)) => request
            .respond(Response::from_file(content).with_header(header("Content-Type", mime(&file)))),
        None => request.respond(Response::from_string("Not found\n").with_status_code(404)),
    };
}

/// The file that a request's path stands for; nothing if it would lie outside the folder.
fn resolve(path: &str, folder: &Path, base: &str) -> Option<PathBuf> {
    let path = decode(path.strip_prefix(base)?)?;
    let mut file = folder.to_owned();
    for part in path.split('/') {
        if part == ".." || part.contains(['\\', ':', '\0']) {
            return None;
        }
        file.push(part);
    }
    if file.is_dir() {
        file.push("index.html");
    }
    file.is_file().then_some(file)
}

/// Undoes percent-encoding.
fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md" | "wat" | "rs" | "c" | "toml") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("our own header values are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Options::parse(&args)
    }

    #[test]
    fn reads_its_options() {
        let options = parse(&["--port", "0", "--base=some/where", "--no-build"]).unwrap();
        let expected = Options {
            port: 0,
            base: "/some/where/".to_owned(),
            build: false,
        };
        assert_eq!(options, expected);
        assert!(parse(&["--port"]).is_err());
        assert!(parse(&["--port", "70000"]).is_err());
        assert!(parse(&["--watch"]).is_err());
    }

    #[test]
    fn never_leaves_its_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = |path| resolve(path, folder, "/x/");
        assert_eq!(found("/x/src/main.rs"), Some(folder.join("src/main.rs")));
        assert_eq!(found("/x/src/main%2Ers"), Some(folder.join("src/main.rs")));
        assert_eq!(found("/src/main.rs"), None);
        assert_eq!(found("/x/src/../Cargo.toml"), None);
        assert_eq!(found("/x/src/%2e%2e/Cargo.toml"), None);
        assert_eq!(found("/x//etc/passwd"), None);
        assert_eq!(found("/x/%zz"), None);
    }
}
