//! The places, the things, and what can be done with them.

/// The ship is on the rocks after this many turns.
const LAST_TURN: u32 = 25;

/// What an action led to.
pub enum Event {
    /// The story goes on.
    Told(String),
    /// The player asked to leave.
    Left,
    /// The lamp is lit.
    Won(String),
    /// The ship is lost.
    Lost(String),
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Jetty,
    Kitchen,
    Cellar,
    Stairs,
    Lantern,
}

#[derive(Clone, Copy, PartialEq)]
enum Thing {
    Matches,
    Oil,
    Key,
}

impl Thing {
    const ALL: [Self; 3] = [Self::Matches, Self::Oil, Self::Key];

    fn name(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Oil => "oil",
            Self::Key => "key",
        }
    }

    fn lying(self) -> &'static str {
        match self {
            Self::Matches => "A box of matches lies on the stove, dry for now.",
            Self::Oil => "A can of lamp oil stands against the wall.",
            Self::Key => "A brass key hangs from a nail, green with salt.",
        }
    }
}

/// The state of the story.
pub struct World {
    place: Place,
    /// Where each thing is; nothing if the player carries it.
    things: [(Thing, Option<Place>); 3],
    unlocked: bool,
    filled: bool,
    turns: u32,
}

impl World {
    /// The beginning.
    pub fn new() -> Self {
        Self {
            place: Place::Jetty,
            things: [
                (Thing::Matches, Some(Place::Kitchen)),
                (Thing::Oil, Some(Place::Cellar)),
                (Thing::Key, Some(Place::Jetty)),
            ],
            unlocked: false,
            filled: false,
            turns: 0,
        }
    }

    /// How many turns were taken.
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// Describes where the player is.
    pub fn look(&self) -> String {
        let mut text = match self.place {
            Place::Jetty => {
                "You stand on a jetty slick with rain. Behind you the boat you came in knocks \
                 against the piles. To the north, the lighthouse: a black stroke on a black sky. \
                 Its lamp is out."
            }
            Place::Kitchen if self.unlocked => {
                "The keeper's kitchen. Two cups on the table, one still half full. The cellar \
                 door stands open: a ladder goes down. Stairs wind up; the jetty is south."
            }
            Place::Kitchen => {
                "The keeper's kitchen. Two cups on the table, one still half full. A low door \
                 to the cellar is locked. Stairs wind up; the jetty is south."
            }
            Place::Cellar => {
                "The cellar smells of tar and apples. Water has come in, to your ankles. The \
                 ladder goes up."
            }
            Place::Stairs => {
                "Halfway up the tower, at a window. Far out, a single light rises and falls: a \
                 ship, and it is holding straight for the rocks. The stairs go up and down."
            }
            Place::Lantern if self.filled => {
                "The lantern room. The wind leans on the glass. The lamp is full of oil, its \
                 wick dark. The stairs go down."
            }
            Place::Lantern => {
                "The lantern room. The wind leans on the glass. The lamp is dry; someone has \
                 polished it, not long ago. The stairs go down."
            }
        }
        .to_owned();
        for (thing, place) in self.things {
            if place == Some(self.place) {
                text.push('\n');
                text.push_str(thing.lying());
            }
        }
        text
    }

    /// Does what a line asks for.
    pub fn act(&mut self, line: &str) -> Event {
        let line = line.to_lowercase();
        let words: Vec<&str> = line
            .split_whitespace()
            .filter(|word| !matches!(*word, "the" | "a" | "to" | "at" | "with" | "on"))
            .collect();
        let rest = words.get(1).copied().unwrap_or_default();
        let text = match words.first().copied().unwrap_or_default() {
            "" => return Event::Told("The rain waits for you to decide.".to_owned()),
            "help" => return Event::Told(HELP.to_owned()),
            "quit" | "exit" | "leave" => return Event::Left,
            "look" | "l" => self.look(),
            "inventory" | "i" => self.carried(),
            "listen" => self.listen().to_owned(),
            "go" | "walk" | "climb" => self.go(rest),
            "n" | "s" | "u" | "d" | "north" | "south" | "up" | "down" => self.go(words[0]),
            "take" | "get" => self.take(rest),
            "open" | "unlock" => self.use_thing(Thing::Key),
            "pour" | "fill" => self.use_thing(Thing::Oil),
            "light" | "strike" => return self.light(),
            "use" => match Thing::ALL.into_iter().find(|thing| thing.name() == rest) {
                Some(Thing::Matches) => return self.light(),
                Some(thing) => self.use_thing(thing),
                None => "You turn the thought over. Use what?".to_owned(),
            },
            word => {
                return Event::Told(format!("You do not know how to {word}. (help tells more.)"));
            }
        };
        self.pass(text)
    }

    /// Time goes on, for the ship as well.
    fn pass(&mut self, text: String) -> Event {
        self.turns += 1;
        match LAST_TURN - self.turns {
            0 => Event::Lost(format!(
                "{text}\n\nThen you hear it: a long, low sound, like a door the size of the \
                 night. The ship has found the rocks."
            )),
            10 => Event::Told(format!("{text}\nOut at sea, a horn sounds. Once.")),
            3 => Event::Told(format!(
                "{text}\nThe horn again, very near. Someone is shouting."
            )),
            _ => Event::Told(text),
        }
    }

    fn has(&self, wanted: Thing) -> bool {
        self.things.contains(&(wanted, None))
    }

    fn carried(&self) -> String {
        let names: Vec<&str> = Thing::ALL
            .into_iter()
            .filter(|thing| self.has(*thing))
            .map(Thing::name)
            .collect();
        if names.is_empty() {
            "Your pockets hold rain.".to_owned()
        } else {
            format!("You carry: {}.", names.join(", "))
        }
    }

    fn listen(&self) -> &'static str {
        match self.place {
            Place::Jetty => "Rain, rope, wood. Under it the bell of a buoy, off its beat.",
            Place::Kitchen => "The stove ticks as it cools. It was warm an hour ago.",
            Place::Cellar => "Drops, counting something.",
            Place::Stairs => "An engine. So faint that you feel it in the rail instead.",
            Place::Lantern => "The glass hums one note. It has waited all night for another.",
        }
    }

    fn go(&mut self, way: &str) -> String {
        use Place::{Cellar, Jetty, Kitchen, Lantern, Stairs};
        let to = match (self.place, way) {
            (Jetty, "north" | "n" | "in" | "lighthouse") => Kitchen,
            (Kitchen, "south" | "s" | "out") => Jetty,
            (Kitchen, "down" | "d" | "cellar") if self.unlocked => Cellar,
            (Kitchen, "down" | "d" | "cellar") => {
                return "The cellar door is locked. The keyhole is bright with use.".to_owned();
            }
            (Kitchen, "up" | "u" | "stairs") => Stairs,
            (Cellar, "up" | "u") => Kitchen,
            (Stairs, "up" | "u") => Lantern,
            (Stairs, "down" | "d") => Kitchen,
            (Lantern, "down" | "d") => Stairs,
            (_, "") => return "Which way?".to_owned(),
            _ => return "Only the dark goes that way.".to_owned(),
        };
        self.place = to;
        self.look()
    }

    fn take(&mut self, name: &str) -> String {
        let here = Some(self.place);
        for (thing, place) in &mut self.things {
            // Without a name: whatever lies here.
            if *place == here && (name.is_empty() || thing.name() == name) {
                *place = None;
                return format!("You take the {}.", thing.name());
            }
        }
        "There is nothing like that here.".to_owned()
    }

    fn use_thing(&mut self, thing: Thing) -> String {
        if !self.has(thing) {
            return format!("You have no {}.", thing.name());
        }
        match (thing, self.place) {
            (Thing::Key, Place::Kitchen) if !self.unlocked => {
                self.unlocked = true;
                "The key turns as if it had been waiting. The cellar door swings inward.".to_owned()
            }
            (Thing::Oil, Place::Lantern) if !self.filled => {
                self.filled = true;
                "You pour until the can is light. The wick drinks and darkens.".to_owned()
            }
            _ => format!("The {} is of no use here.", thing.name()),
        }
    }

    fn light(&mut self) -> Event {
        if !self.has(Thing::Matches) {
            return self.pass("You have nothing to make fire with.".to_owned());
        }
        if self.place != Place::Lantern {
            return self.pass("A match flares, shows you the rain, and dies.".to_owned());
        }
        if !self.filled {
            return self.pass("The wick glows, and finds nothing to burn.".to_owned());
        }
        self.turns += 1;
        Event::Won(
            "The match catches, then the wick, then the whole room. The great lens takes the \
             flame and throws it out across the water, once around, and again.\n\n\
             Out there the ship's light hesitates. Then, slowly, it turns away from the rocks.\n\n\
             On the stairs, someone clears his throat. \"I only went to fetch matches,\" says \
             the keeper."
                .to_owned(),
        )
    }
}

const HELP: &str =
    "look, listen, go north/south/up/down, take <thing>, use <thing>, inventory, quit.";
