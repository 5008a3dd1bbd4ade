//! What is found, for people or as JSON.

use std::io::{self, Write};

use super::{Explained, Obstacle, Way};

impl Explained {
    /// Writes it: for people, or as one JSON object.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        if json {
            serde_json::to_writer(&mut *out, self)?;
            return writeln!(out);
        }
        let verdict = if self.permitted { "" } else { "not " };
        writeln!(out, "{verdict}permitted")?;
        obstacles(&self.obstacles, out)?;
        writeln!(out, "  sender       {}", self.sender)?;
        writeln!(out, "  certificate  {}", self.certificate)?;
        writeln!(out, "  product      {}", self.product)?;
        for way in &self.ways {
            way.write(out)?;
        }
        for note in &self.notes {
            writeln!(out, "  note         {note}")?;
        }
        Ok(())
    }
}

impl Way {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "  receiver     {}: {}", self.receiver, self.delivery)?;
        obstacles(&self.obstacles, out)?;
        writeln!(out, "  agreement    {}", self.agreement)?;
        for tried in &self.candidates {
            let file = tried.file.as_ref();
            let file = file.map_or_else(String::new, |file| file.display().to_string());
            writeln!(out, "    {file} ({}): {}", tried.id, tried.verdict)?;
        }
        if self.candidates.is_empty() {
            writeln!(out, "    no agreement in the folder is about it")?;
        }
        if self.more > 0 {
            writeln!(out, "    and {} more", self.more)?;
        }
        Ok(())
    }
}

fn obstacles(obstacles: &[Obstacle], out: &mut dyn Write) -> io::Result<()> {
    for Obstacle { code, reason } in obstacles {
        writeln!(out, "    {code}: {reason}")?;
    }
    Ok(())
}
