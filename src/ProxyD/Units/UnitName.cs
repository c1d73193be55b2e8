using System.Globalization;
using System.Text;

namespace ProxyD.Units;

/// <summary>Kinds of units, by the ends of their names; systemd.unit(5).</summary>
internal enum UnitType
{
    /// <summary>A name without an end that systemd knows.</summary>
    Unknown,

    /// <summary>A daemon or a command; systemd.service(5).</summary>
    Service,

    /// <summary>What systemd listens on; systemd.socket(5).</summary>
    Socket,

    /// <summary>A name for a group of units; systemd.target(5).</summary>
    Target,

    /// <summary>A clock that starts another unit; systemd.timer(5).</summary>
    Timer,

    /// <summary>A file whose changes start another unit; systemd.path(5).</summary>
    Path,

    /// <summary>A mount point; systemd.mount(5).</summary>
    Mount,

    /// <summary>A mount point that is mounted when used; systemd.automount(5).</summary>
    Automount,

    /// <summary>Swap space; systemd.swap(5).</summary>
    Swap,

    /// <summary>A device of the kernel; systemd.device(5).</summary>
    Device,

    /// <summary>A group of processes with limits; systemd.slice(5).</summary>
    Slice,

    /// <summary>Processes that somebody else started; systemd.scope(5).</summary>
    Scope,
}

/// <summary>A unit's name and its parts: <c>prefix@instance.type</c>.</summary>
internal readonly record struct UnitName(string Full)
{
    /// <summary>The instance that stands for all: each has its template's files.</summary>
    internal const string AnyInstance = "x";

    private const int LengthMax = 255;

    private const string Marks = ":-_.\\@";

    private static readonly (string Suffix, UnitType Type)[] s_types =
        [.. Enum.GetValues<UnitType>().Where(type => type != UnitType.Unknown).Select(type => ("." + type.ToString().ToLowerInvariant(), type))];

    internal UnitType Type => Array.Find(s_types, IsSuffix).Type;

    /// <summary>Without the type.</summary>
    internal string Stem => Full[..^(Array.Find(s_types, IsSuffix).Suffix?.Length ?? 0)];

    /// <summary>What stands before the @, or the stem.</summary>
    internal string Prefix => At < 0 ? Stem : Stem[..At];

    /// <summary>What stands behind the @: empty for a template, null when there is no @.</summary>
    internal string? Instance => At < 0 ? null : Stem[(At + 1)..];

    internal bool IsTemplate => Instance is "";

    /// <summary>Whether a unit could have this name: no variable and no specifier is left in it, and no pattern; systemd.unit(5).</summary>
    internal bool IsValid => Full.Length is > 0 and <= LengthMax && Full.All(c => char.IsAsciiLetterOrDigit(c) || Marks.Contains(c));

    /// <summary>Whether it tells which unit is meant, or at least which template.</summary>
    internal bool IsKnown => new UnitName(Template ?? Resolved.Full).IsValid && !Full.Contains('$');

    /// <summary>The template that an instance is made from; null for anything else.</summary>
    internal string? Template => Instance is { Length: > 0 } ? With("") : null;

    /// <summary>A name that systemd can load, and systemctl show: of a template an instance.</summary>
    internal string Loadable => IsTemplate ? With(AnyInstance) : Full;

    /// <summary><c>x@%i.service</c>, as one template names another, is that template; any other name is itself.</summary>
    internal UnitName Resolved => Instance is "%i" or "%I" ? new(With("")) : this;

    private int At => Stem.IndexOf('@', StringComparison.Ordinal);

    /// <summary>The same name with another instance.</summary>
    internal string With(string instance) => $"{Prefix}@{instance}{Full[Stem.Length..]}";

    /// <summary>A file's name is the unit's name, when its end says so.</summary>
    internal static UnitType TypeOf(string name) => new UnitName(name).Type;

    /// <summary>What systemd-escape(1) did undone: a dash is a slash, <c>\x2d</c> a byte.</summary>
    internal static string Unescape(string text)
    {
        List<byte> bytes = [];
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text[i + 1] == 'x'
                && byte.TryParse(text.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte escaped))
            {
                bytes.Add(escaped);
                i += 3;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text[i] == '-' ? "/" : text[i].ToString()));
            }
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    public override string ToString() => Full;

    private bool IsSuffix((string Suffix, UnitType Type) type)
    {
        return Full.Length > type.Suffix.Length && Full.EndsWith(type.Suffix, StringComparison.Ordinal);
    }
}
