//! One GStreamer element between two pads of our own: whatever it does, it does on the calling thread, inside of a call.
//!
//! Belongs here: what a decoder and an encoder have in common. Does not belong here: what goes in, what comes out.

use gstreamer as gst;
use gstreamer::prelude::*;

/// One element, playing. It has no thread of its own.
pub(crate) struct Wired {
    element: gst::Element,
    input: gst::Pad,
    output: gst::Pad,
    bus: gst::Bus,
}

impl std::fmt::Debug for Wired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wired").field("element", &self.element.name()).finish_non_exhaustive()
    }
}

impl Wired {
    /// Links an element with the pad that takes what comes out of it, starts it, and says what will be pushed.
    ///
    /// # Errors
    /// In one sentence; `untold` when it refuses the caps without a word.
    pub(crate) fn new(element: gst::Element, output: gst::Pad, caps: &gst::Caps, untold: &str) -> Result<Self, String> {
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let input = gst::Pad::builder(gst::PadDirection::Src).name("in").build();
        // From here on `drop` tidies up.
        let wired = Self { element, input, output, bus };
        wired.link().map_err(|e| e.to_string())?;
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let told = wired.input.push_event(gst::event::StreamStart::new("matthon"))
            && wired.input.push_event(gst::event::Caps::new(caps))
            && wired.input.push_event(gst::event::Segment::new(&segment));
        if told { Ok(wired) } else { Err(wired.heard().unwrap_or_else(|| untold.to_owned())) }
    }

    fn link(&self) -> Result<(), Box<dyn std::error::Error>> {
        let sink = self.element.static_pad("sink").ok_or("it has no input")?;
        let src = self.element.static_pad("src").ok_or("it has no output")?;
        self.input.link(&sink)?;
        src.link(&self.output)?;
        self.output.set_active(true)?;
        self.input.set_active(true)?;
        self.element.set_state(gst::State::Playing)?;
        Ok(())
    }

    /// Hands it a buffer; what comes out has come before this returns.
    pub(crate) fn push(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.input.push(buffer)
    }

    /// Tells it something, in the order of the buffers.
    pub(crate) fn tell(&self, event: gst::Event) {
        self.input.push_event(event);
    }

    /// Lets out what it holds back.
    pub(crate) fn finish(&self) {
        self.input.push_event(gst::event::Eos::new());
    }

    /// What it said, if it was an error; other messages are let go, so that none pile up.
    pub(crate) fn heard(&self) -> Option<String> {
        let mut said = None;
        while let Some(message) = self.bus.pop() {
            if let gst::MessageView::Error(e) = message.view() {
                said.get_or_insert_with(|| one_line(&e.error().to_string()));
            }
        }
        said
    }
}

impl Drop for Wired {
    fn drop(&mut self) {
        let _ = self.input.set_active(false);
        let _ = self.element.set_state(gst::State::Null);
        let _ = self.output.set_active(false);
        self.element.set_bus(None);
    }
}

/// What C code says, cut to one line of a bearable length.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
