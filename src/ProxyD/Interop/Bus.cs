using System.Runtime.InteropServices;

namespace ProxyD.Interop;

/// <summary>A connection to a D-Bus daemon. For one thread at a time; it blocks while it calls.</summary>
internal sealed unsafe class Bus
{
    /// <summary>How long one call may take. PID 1 can be busy for a while (daemon-reload), and polkit may have to be started first.</summary>
    private const ulong CallTimeoutUs = 10_000_000;

    private nint _bus;

    private Bus(nint bus) => _bus = bus;

    /// <summary>Whether libsystemd is there.</summary>
    internal static bool IsAvailable { get; } = NativeLibrary.TryLoad(LibSystemd.Lib, out _);

    /// <summary>Becomes readable when <see cref="Receive"/> may have something.</summary>
    internal int Fd => LibSystemd.sd_bus_get_fd(_bus);

    /// <summary>The events to wait for, as poll(2) has them.</summary>
    internal short Events => (short)LibSystemd.sd_bus_get_events(_bus);

    /// <param name="ofUser">The user's bus rather than the system's.</param>
    /// <exception cref="BusException">There is none, or it does not let us in.</exception>
    internal static Bus Open(bool ofUser)
    {
        if (!IsAvailable)
            throw new BusException("", $"{LibSystemd.Lib} is missing");
        nint bus;
        Check(ofUser ? LibSystemd.sd_bus_open_user(&bus) : LibSystemd.sd_bus_open_system(&bus));
        return new(bus);
    }

    /// <summary>Calls a method whose arguments are all strings, and waits for its reply.</summary>
    /// <exception cref="BusException">It answered with an error, or not at all.</exception>
    internal BusMessage Call(string destination, string path, string @interface, string member, params ReadOnlySpan<string> arguments)
    {
        nint message, reply;
        Check(LibSystemd.sd_bus_message_new_method_call(_bus, &message, destination, path, @interface, member));
        try
        {
            foreach (string argument in arguments)
                Check(LibSystemd.sd_bus_message_append_basic(message, (byte)'s', argument));
            sd_bus_error error = default;
            int result = LibSystemd.sd_bus_call(_bus, message, CallTimeoutUs, &error, &reply);
            if (result >= 0)
                return new(reply);
            BusException failure = error.name is null
                ? BusException.From(result)
                : new(Marshal.PtrToStringUTF8((nint)error.name)!, Marshal.PtrToStringUTF8((nint)error.message) ?? "");
            LibSystemd.sd_bus_error_free(&error);
            throw failure;
        }
        finally
        {
            LibSystemd.sd_bus_message_unref(message);
        }
    }

    /// <summary>The next message that has come, without waiting for one; null when there is none.</summary>
    /// <exception cref="BusException">The connection is gone.</exception>
    internal BusMessage? Receive()
    {
        while (true)
        {
            nint message = 0;
            int did = Check(LibSystemd.sd_bus_process(_bus, &message));
            if (message != 0)
                return new(message);
            if (did == 0)
                return null;
        }
    }

    internal void Close()
    {
        if (_bus != 0)
            LibSystemd.sd_bus_flush_close_unref(_bus);
        _bus = 0;
    }

    private static int Check(int result) => result >= 0 ? result : throw BusException.From(result);
}

/// <summary>An error on the bus.</summary>
/// <param name="name">The D-Bus error name; empty when the bus itself failed.</param>
/// <param name="message">In words.</param>
internal sealed class BusException(string name, string message) : Exception(message)
{
    internal string Name { get; } = name;

    internal static BusException From(int negativeErrno) => new("", ((Errno)(-negativeErrno)).Text());
}
