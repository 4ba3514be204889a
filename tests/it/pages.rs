//! Pages of a lake that is not whole. What they show is looked at in a browser, in `tests/pages`.

use simulator::{ServerOptions, World};

use crate::command::{Desk, server};

#[test]
fn an_event_that_cannot_be_read_is_named_and_the_others_are_drawn() {
    let (desk, world) = (Desk::new(), World::default());
    let server = server(&world, ServerOptions::default());
    desk.sync(&server, &["--event", "609768", "--event", "700004"]).succeeded();
    let day = "lake/lives/dt=2022-10-26/part-0.parquet";
    std::fs::write(desk.store().join(day), "no Parquet").unwrap();
    let (store, pages) = (desk.store(), desk.store().join("pages"));
    let words = ["report", "--all", "--store", store.to_str().unwrap(), "-o", pages.to_str().unwrap()];
    let outcome = desk.run(&words);
    assert_eq!(outcome.status, 1);
    let named: Vec<&str> = outcome.errors();
    assert!(named.iter().any(|error| error.contains("event: 609768") && error.contains(day)), "{named:?}");
    assert!(pages.join("index.html").exists() && !pages.join("609768.html").exists());
    // 700004 has rows on that day too; whichever can be read has its page.
    let drawn = std::fs::read_dir(&pages).unwrap().count() - 1;
    assert_eq!(drawn + named.len(), 2);
}

#[test]
fn a_page_is_replaced_as_a_whole_and_leaves_nothing_beside_it() {
    let (desk, world) = (Desk::new(), World::default());
    let server = server(&world, ServerOptions::default());
    desk.sync(&server, &["--event", "609768"]).succeeded();
    let store = desk.store();
    let page = store.join("event.html");
    std::fs::write(&page, "what was there before").unwrap();
    for _ in 0..2 {
        let words = ["report", "609768", "--store", store.to_str().unwrap(), "-o", page.to_str().unwrap()];
        desk.run(&words).succeeded();
        assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
    }
    let names: Vec<_> = std::fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.iter().filter(|name| name.to_str().unwrap().contains("html")).count(), 1);
}
