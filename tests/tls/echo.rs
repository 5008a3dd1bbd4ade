//! A service that does nothing but say who calls, as every door of the node finds it out.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::Service;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use samsvar::http::caller::{self, Callers};
use samsvar::settings::Settings;
use samsvar::tls::material::Sources;
use samsvar::tls::{self, Store};
use samsvar_actors::avvisat::Avvisade;
use samsvar_actors::caller::Caller;
use shs_schemas::shs::Organisationsnummer;

/// A listening echo.
pub struct Echo {
    pub address: SocketAddr,
    pub store: Option<Arc<Store>>,
}

impl Echo {
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Starts an echo with the certificates that the settings name.
pub fn start(settings: &Settings) -> Echo {
    let sources = Sources::of(settings);
    let store = (!sources.are_none()).then(|| Store::open(sources).unwrap());
    let callers = Arc::new(Callers::new(settings, store.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server_config = settings.listener.tls.as_ref().map(|_| {
        let store = store.as_ref().unwrap();
        tls::server::config(store, Avvisade::nowhere()).unwrap()
    });
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let server = HttpServer::new(|| {
                App::new()
                    .wrap_fn(|request, inner| {
                        let answer = inner.call(request);
                        async move {
                            let mut answer = answer.await?;
                            caller::hang_up_if_due(&mut answer, std::time::Duration::MAX);
                            Ok(answer)
                        }
                    })
                    .default_service(web::to(say))
            });
            let server = server
                .workers(1)
                .disable_signals()
                .on_connect(move |io, data| callers.note(io, data));
            let server = match server_config {
                Some(config) => server.listen_rustls_0_23(listener, config).unwrap(),
                None => server.listen(listener).unwrap(),
            };
            server.run().await.unwrap();
        });
    });
    Echo { address, store }
}

async fn say(request: HttpRequest) -> HttpResponse {
    match caller::of(&request) {
        Ok(Caller::Internal) => HttpResponse::Ok().body("internal"),
        Ok(Caller::Certified(actors)) => {
            let actors: Vec<&str> = actors.iter().map(Organisationsnummer::as_str).collect();
            HttpResponse::Ok().body(format!("certified {}", actors.join(" ")))
        }
        Err(failure) => HttpResponse::BadRequest().body(failure.class()),
    }
}
