import CCairo
import IR

/// A file to draw into, SVG or PNG, in points from the upper left.
final class Canvas {
  enum Format: String, CaseIterable {
    case svg, png
  }

  enum Alignment: Double {
    case left = 0
    case center = 0.5
    case right = 1
  }

  struct Color: Hashable {
    var red: Double
    var green: Double
    var blue: Double

    static let black = Color(red: 0.13, green: 0.13, blue: 0.13)
    static let white = Color(red: 1, green: 1, blue: 1)
    static let grid = Color(red: 0.88, green: 0.88, blue: 0.88)
  }

  private let path: String
  private let format: Format
  private let surface: OpaquePointer
  private let context: OpaquePointer

  /// Pixels per point in PNG files, for sharp text.
  private static let pixelsPerPoint = 2.0

  /// A white canvas.
  ///
  /// - Throws: if the file cannot be made.
  init(_ path: String, _ format: Format, width: Double, height: Double) throws(Diagnostic) {
    self.path = path
    self.format = format
    let made: OpaquePointer?
    switch format {
    case .svg: made = cairo_svg_surface_create(path, width, height)
    case .png:
      made = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, Int32(width * Self.pixelsPerPoint),
        Int32(height * Self.pixelsPerPoint))
    }
    guard let made, let context = cairo_create(made) else {
      preconditionFailure("Cairo returns surfaces and contexts that tell what is wrong")
    }
    surface = made
    self.context = context
    if format == .png { cairo_scale(context, Self.pixelsPerPoint, Self.pixelsPerPoint) }
    cairo_select_font_face(
      context, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    set(.white)
    cairo_paint(context)
    try check(cairo_status(context))
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  /// Writes the file to its end.
  func finish() throws(Diagnostic) {
    try check(cairo_status(context))
    if format == .png { try check(cairo_surface_write_to_png(surface, path)) }
    cairo_surface_finish(surface)
    try check(cairo_surface_status(surface))
  }

  private func check(_ status: cairo_status_t) throws(Diagnostic) {
    guard status != CAIRO_STATUS_SUCCESS else { return }
    let advice = status == CAIRO_STATUS_WRITE_ERROR ? "; is the disk full?" : ""
    throw .error(
      "cannot be drawn: \(String(cString: cairo_status_to_string(status)))\(advice)", file: path)
  }

  private func set(_ color: Color) {
    cairo_set_source_rgb(context, color.red, color.green, color.blue)
  }

  /// A straight line.
  func line(from start: (x: Double, y: Double), to end: (x: Double, y: Double), _ color: Color) {
    path([start, end], color, width: 1)
  }

  /// A line through points.
  ///
  /// - Parameter dashes: lengths of dashes and gaps in turn; empty for an unbroken line.
  func path(
    _ points: [(x: Double, y: Double)], _ color: Color, width: Double, dashes: [Double] = []
  ) {
    guard let first = points.first else { return }
    set(color)
    cairo_set_line_width(context, width)
    cairo_set_dash(context, dashes, Int32(dashes.count), 0)
    cairo_move_to(context, first.x, first.y)
    for point in points.dropFirst() { cairo_line_to(context, point.x, point.y) }
    cairo_stroke(context)
  }

  /// A filled disc.
  func disc(at center: (x: Double, y: Double), radius: Double, _ color: Color) {
    set(color)
    cairo_new_sub_path(context)
    cairo_arc(context, center.x, center.y, radius, 0, 2 * Double.pi)
    cairo_fill(context)
  }

  /// One line of text; its height's middle lies at `y`.
  func text(
    _ text: String, at place: (x: Double, y: Double), size: Double, align: Alignment = .left,
    _ color: Color = .black
  ) {
    set(color)
    cairo_set_font_size(context, size)
    cairo_move_to(
      context, place.x - align.rawValue * width(of: text, size: size), place.y + 0.36 * size)
    cairo_show_text(context, text)
    cairo_new_path(context)
  }

  /// How wide a line of text is.
  func width(of text: String, size: Double) -> Double {
    cairo_set_font_size(context, size)
    var extents = cairo_text_extents_t()
    cairo_text_extents(context, text, &extents)
    return extents.x_advance
  }

  /// Does something that draws nothing outside of a rectangle.
  func clipped(
    to frame: (x: Double, y: Double, width: Double, height: Double), _ body: () -> Void
  ) {
    cairo_save(context)
    cairo_rectangle(context, frame.x, frame.y, frame.width, frame.height)
    cairo_clip(context)
    body()
    cairo_restore(context)
  }
}
