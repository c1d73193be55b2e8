using System.Runtime.InteropServices;

namespace ProxyD.Interop;

/// <summary>The part of libsystemd that speaks D-Bus; the man page of each function's name is the documentation.</summary>
/// <remarks>
/// Loaded by the first call, about 1.3 ms, so only who needs the bus pays for it, and a machine without it still relays: ask
/// <see cref="Bus.IsAvailable"/> first. Functions with variable arguments can't be called from here and aren't needed. All return a
/// negative errno on failure.
/// </remarks>
internal static unsafe partial class LibSystemd
{
    internal const string Lib = "libsystemd.so.0";

    [LibraryImport(Lib)]
    internal static partial int sd_bus_open_system(nint* bus);

    [LibraryImport(Lib)]
    internal static partial int sd_bus_open_user(nint* bus);

    [LibraryImport(Lib)]
    internal static partial nint sd_bus_flush_close_unref(nint bus);

    [LibraryImport(Lib)]
    internal static partial int sd_bus_get_fd(nint bus);

    [LibraryImport(Lib)]
    internal static partial int sd_bus_get_events(nint bus);

    /// <summary>1 when something was done, with the message nobody else took, if any; 0 when there is nothing to do.</summary>
    [LibraryImport(Lib)]
    internal static partial int sd_bus_process(nint bus, nint* message);

    /// <param name="timeoutUs">0 for the library's own, 25 s.</param>
    [LibraryImport(Lib)]
    internal static partial int sd_bus_call(nint bus, nint message, ulong timeoutUs, sd_bus_error* error, nint* reply);

    [LibraryImport(Lib)]
    internal static partial void sd_bus_error_free(sd_bus_error* error);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_message_new_method_call(
        nint bus, nint* message, string destination, string path, string? @interface, string member);

    /// <param name="value">For strings the text itself, not a pointer to it.</param>
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sd_bus_message_append_basic(nint message, byte type, string value);

    [LibraryImport(Lib)]
    internal static partial nint sd_bus_message_unref(nint message);

    [LibraryImport(Lib)]
    internal static partial byte* sd_bus_message_get_member(nint message);

    [LibraryImport(Lib)]
    internal static partial int sd_bus_message_peek_type(nint message, byte* type, byte** contents);

    [LibraryImport(Lib)]
    internal static partial int sd_bus_message_read_basic(nint message, byte type, void* value);

    [LibraryImport(Lib)]
    internal static partial int sd_bus_message_enter_container(nint message, byte type, byte* contents);

    [LibraryImport(Lib)]
    internal static partial int sd_bus_message_exit_container(nint message);

    /// <param name="types">Null for the next one, whatever it is.</param>
    [LibraryImport(Lib)]
    internal static partial int sd_bus_message_skip(nint message, byte* types);
}

/// <summary>sd_bus_error(3).</summary>
internal unsafe struct sd_bus_error
{
    internal byte* name;
    internal byte* message;
    internal int _need_free;
}
