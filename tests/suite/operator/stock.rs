//! Stock is counted exactly while the shop sells, and each change is made once for its reference.

use tests::{
    race::at_once,
    world::{Setup, World},
};

use super::{Ended, run};

async fn change(world: &World, what: &str, sku: &str, units: u64, reference: &str) -> Ended {
    let units = units.to_string();
    let more = ["--reference", reference, "--reason", "a delivery", "--by", "grace"];
    run(world, &[&["stock", what, sku, &units], &more[..]].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_and_sales_at_once_are_all_counted_and_each_once() {
    let world = World::new().await;
    let guests: Vec<_> = (0..6).map(|_| world.guest()).collect();
    let answers = at_once(12, |nth| {
        let (world, guests) = (world.clone(), guests.clone());
        async move {
            if nth < 6 {
                guests[nth].buy(&[("espresso-beans", 2)]).await;
                0
            } else {
                // Two of each: an answer was lost, and somebody did it again.
                change(&world, "add", "espresso-beans", 500, &format!("DN-{}", nth / 2)).await.code
            }
        }
    })
    .await;
    assert!(answers.iter().all(|code| *code == 0), "{answers:?}");
    assert_eq!(world.stock("espresso-beans").await, 100_000 - 12 + 3 * 500);

    let told = change(&world, "add", "espresso-beans", 500, "DN-3").await;
    assert!(told.stdout.contains("already"), "{told:?}");
    let other = change(&world, "add", "espresso-beans", 501, "DN-3").await;
    assert!(other.code == 1 && other.stderr.contains("was used for another change"), "{other:?}");
    assert_eq!(world.stock("espresso-beans").await, 101_488);

    // The route is the same code: what one has added, the other knows.
    let staff = world.staff();
    staff.receive("espresso-beans", 500, "DN-3").await.expect(200);
    staff.receive("espresso-beans", 501, "DN-3").await.refused(409, "REFERENCE_USED");
    staff.receive("pour-over-kit/white", 5, "DN-7").await.expect(201);
    let told = change(&world, "add", "pour-over-kit/white", 5, "DN-7").await;
    assert!(told.stdout.contains("already"), "{told:?}");

    let history = run(&world, &["stock", "history", "espresso-beans"]).await;
    assert_eq!(history.stdout.lines().count(), 1 + 3, "{history:?}");
    assert!(history.stdout.contains("grace") && history.stdout.contains("+500"), "{history:?}");
}

#[tokio::test]
async fn a_count_says_what_it_changed_and_names_that_are_wrong_change_nothing() {
    let world = World::new().await;
    let set = change(&world, "set", "pour-over-kit/white", 37, "count-1").await;
    assert!(set.code == 0 && set.stdout.contains("37 left now"), "{set:?}");
    assert_eq!(world.stock("pour-over-kit/white").await, 37);
    let again = change(&world, "set", "pour-over-kit/white", 37, "count-1").await;
    assert!(again.stdout.contains("already"), "{again:?}");

    let shown = run(&world, &["stock", "show", "pour-over-kit/white", "sold-out-mug"]).await;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<_> = shown.stdout.lines().map(words).collect();
    let has = |rows: &[Vec<String>], row: &[&str]| rows.iter().any(|found| found == row);
    assert!(has(&rows, &["pour-over-kit/white", "37", "in_stock"]), "{shown:?}");
    assert!(has(&rows, &["sold-out-mug", "0", "sold_out"]), "{shown:?}");
    world.guest().buy(&[("limited-print", 3)]).await;
    let all = run(&world, &["stock", "show"]).await;
    let rows: Vec<_> = all.stdout.lines().map(words).collect();
    assert!(has(&rows, &["limited-print", "2", "low", "2"]), "{all:?}");
    assert!(all.stdout.contains("espresso-beans") && all.stdout.contains("pour-over-kit/black"), "{all:?}");

    // More may be sold than is there: the commands say so, and a count is what is there.
    let mut catalog = tests::world::sample_catalog();
    let products = catalog["products"].as_array_mut().unwrap();
    let mug = products.iter_mut().find(|product| product["productId"] == "sold-out-mug").unwrap();
    mug["backorder"] = serde_json::json!({"limit": 5, "availableInDays": 10});
    let catalog = serde_json::from_value(catalog).unwrap();
    world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await.unwrap();
    world.guest().buy(&[("sold-out-mug", 3)]).await;
    let shown = run(&world, &["stock", "show", "sold-out-mug"]).await;
    assert!(shown.stdout.contains("-3") && shown.stdout.contains("backorder"), "{shown:?}");
    let come = change(&world, "add", "sold-out-mug", 1, "DN-5").await;
    assert!(come.stdout.contains("+1, -2 left now"), "{come:?}");
    let set = change(&world, "set", "sold-out-mug", 4, "count-2").await;
    assert!(set.stdout.contains("+6, 4 left now"), "{set:?}");

    for (sku, units, code, why) in [
        ("no-such-thing", 1, 1, "no stock is counted"),
        ("pour-over-kit", 1, 1, "no stock is counted"),
        ("espresso-beans", 1_000_000_000, 1, "more than"),
        ("espresso-beans", 1_000_000_001, 2, "not in"),
        ("not a name!", 1, 2, "letters"),
    ] {
        let refused = change(&world, "add", sku, units, "DN-9").await;
        assert!(refused.code == code && refused.stderr.contains(why), "{sku}: {refused:?}");
    }
    assert_eq!(world.stock("pour-over-kit/white").await, 37);
}

#[tokio::test]
async fn a_stock_in_parts_is_shown_added_to_and_counted_as_one() {
    let world = Setup::default().in_parts(4).build().await;
    let shown = run(&world, &["stock", "show", "pour-over-kit/white"]).await;
    let before = world.stock("pour-over-kit/white").await;
    assert!(shown.stdout.contains(&before.to_string()), "{shown:?}");
    let added = change(&world, "add", "pour-over-kit/white", 5, "DN-1").await;
    assert!(added.stdout.contains(&format!("+5, {} left now", before + 5)), "{added:?}");
    let set = change(&world, "set", "pour-over-kit/white", 37, "count-1").await;
    assert!(set.stdout.contains("37 left now"), "{set:?}");
    assert_eq!(world.left_by_part("pour-over-kit/white").await, [10, 9, 9, 9]);
    world.guest().buy(&[("pour-over-kit/white", 12)]).await;
    let all = run(&world, &["stock", "show"]).await;
    let mut rows = all.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert!(rows.any(|row| row.starts_with(&["pour-over-kit/white", "25"])), "{all:?}");
    let set = change(&world, "set", "pour-over-kit/white", 2, "count-2").await;
    assert!(set.stdout.contains("-23, 2 left now"), "{set:?}");
    assert_eq!(world.left_by_part("pour-over-kit/white").await, [1, 1, 0, 0]);
}
