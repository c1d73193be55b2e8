using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>Which units see the same /tmp, and which are told to share what is theirs.</summary>
internal static class Namespaces
{
    /// <summary>What gives a service a /tmp of its own.</summary>
    /// <remarks>
    /// DynamicUser= implies PrivateTmp= whatever that says; systemd.exec(5). A user manager has no right to make one (only with PrivateUsers=).
    /// </remarks>
    internal static Setting? PrivateTmpOf(Unit service)
    {
        if (service.IsUser)
            return null;
        Setting? own = service.Last("Service", "PrivateTmp");
        if (service.IsTrue("Service", "PrivateTmp") || own?.Value == "disconnected")
            return own;
        return service.IsTrue("Service", "DynamicUser") ? service.Last("Service", "DynamicUser") : null;
    }

    /// <summary>Whether JoinsNamespaceOf= brings two units together, in whichever direction, or by way of a third.</summary>
    internal static bool AreJoined(Unit one, Unit other) => Joined(one).Intersect(Joined(other)).Any();

    /// <summary>A unit and whomever it joins.</summary>
    internal static IEnumerable<string> Joined(Unit unit) => unit.List("Unit", "JoinsNamespaceOf").Select(entry => entry.Word).Append(unit.Name);
}

/// <summary>A backend's socket in a /tmp that the proxy does not see.</summary>
internal sealed class TmpNotShared() : TrioRule("PXD019", Severity.Error, "socket in another /tmp", "systemd.exec(5), systemd.unit(5)")
{
    private static readonly string[] s_folders = ["/tmp/", "/var/tmp/"];

    internal override string Why => "with a private /tmp proxy and backend look at different folders, and the socket is never found";

    internal override string Fix => "put the socket below /run: RuntimeDirectory= in the backend makes a folder for it";

    internal override string Story => """
        PrivateTmp= gives a service a /tmp and a /var/tmp of its own, empty at first. A Unix socket that the backend makes in /tmp is then in
        one folder, and the proxy looks for it in another of the same name: it waits until its time is up, and every client is reset.

        DynamicUser=yes implies PrivateTmp=yes, and PrivateTmp=no does not undo it. So the trap needs no line that speaks of /tmp at all.

        The public socket may well be in /tmp: systemd has made it, and passes it on as a descriptor.

        Sockets belong below /run, where RuntimeDirectory=NAME makes /run/NAME for a unit and removes it afterwards. (JoinsNamespaceOf= makes two
        units share one private /tmp, if both have PrivateTmp=yes and the joining one starts while the other runs; that's hard to keep right.)
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        // What proxyd starts itself (--exec) lives in the proxy's own /tmp.
        BackendAddress? address = trio.Command.Options.Destinations.Select(BackendAddress.OfDestination)
            .FirstOrDefault(a => a.Kind == AddressKind.Path && s_folders.Any(folder => a.Host.StartsWith(folder, StringComparison.Ordinal)));
        if (address is null || trio.Command.Options["exec"] is not null)
            yield break;
        Unit? backend = trio.Backends.FirstOrDefault();
        Setting? mine = Namespaces.PrivateTmpOf(trio.Proxy), its = backend is null ? null : Namespaces.PrivateTmpOf(backend);
        bool areTogether = backend is null
            ? Namespaces.Joined(trio.Proxy).Count() > 1
            : mine is not null && its is not null && Namespaces.AreJoined(trio.Proxy, backend);
        if (areTogether)
            yield break;
        if (mine is not null)
            yield return At(trio.Proxy, mine, $"{mine.Item.Name}={mine.Value} gives the proxy a /tmp of its own, in which the backend's {address.Host} is not");
        else if (its is not null)
            yield return At(backend!, its, $"{its.Item.Name}={its.Value} gives the backend a /tmp of its own, and the proxy finds no {address.Host}");
    }
}

/// <summary>A backend in another network than its proxy.</summary>
internal sealed class NetworkNotShared() : TrioRule("PXD030", Severity.Error, "backend in another network", "systemd.exec(5), systemd.unit(5)")
{
    internal override string Why => "each network namespace has a loopback of its own, and the proxy connects to one where nobody listens";

    internal override string Fix => "JoinsNamespaceOf=BACKEND and PrivateNetwork=yes in the proxy, PrivateNetwork=yes in the backend; or in neither";

    internal override string Story => """
        PrivateNetwork=yes puts a service into a network of its own, which has nothing but a loopback interface. That is a good thing for a backend:
        the public socket, which systemd has made outside, is then the only way to it. But 127.0.0.1 inside is not 127.0.0.1 outside. Proxy and
        backend must be in the same one: both with PrivateNetwork=yes, and one of them with JoinsNamespaceOf= the other (systemd.unit(5): it has an
        effect only if both have it).

        With PrivateNetwork= on only one side the proxy waits for a backend that runs and listens, and resets every client when its time is up.
        Abstract Unix sockets (@name) belong to the network namespace as well; those in the file system don't.

        The public socket needs no such line: systemd makes it in the machine's network, whatever its service is put into, unless [Socket] itself
        says otherwise. Behind ip netns exec, nsenter or unshare in a command line nothing is judged: which network that is, can't be seen.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        BackendAddress? address = trio.Command.Options.Destinations.Select(BackendAddress.OfDestination).FirstOrDefault(a => a.Kind != AddressKind.Path);
        // A child is where its parent is; and what lives outside this machine is in nobody's namespace here.
        if (address is null || trio.Command.Options["exec"] is not null || trio.Proxy.IsUser)
            yield break;
        Unit? backend = trio.Backends.FirstOrDefault();
        UnitNetwork? mine = UnitNetwork.Of(trio.Proxy, input.Script), its = backend is null ? null : UnitNetwork.Of(backend, input.Script);
        // Which one a launcher enters can't be told from here.
        if (mine?.Kind == NetworkKind.Launched || its?.Kind == NetworkKind.Launched)
            yield break;
        if (backend is null)
        {
            if (mine?.Kind == NetworkKind.Private && Namespaces.Joined(trio.Proxy).Count() == 1)
                yield return At(trio.Proxy, mine.Setting, $"PrivateNetwork= leaves the proxy alone in its network: nobody can listen on {address} there");
        }
        else if (mine is not null && its is not null)
        {
            if (!UnitNetwork.AreSame(mine, its) && !Namespaces.AreJoined(trio.Proxy, backend))
                yield return At(trio.Proxy, mine.Setting, $"the proxy and {backend.Name} have a network each: {address} is not the same in both");
        }
        else if (mine is not null)
        {
            string why = $"{mine.Setting.Item.Name}= takes the proxy out of the network in which {backend.Name} listens on {address}";
            yield return At(trio.Proxy, mine.Setting, why);
        }
        else if (its is not null && (address.IsLoopback || address.Kind == AddressKind.Abstract))
        {
            yield return At(backend, its.Setting, $"{its.Setting.Item.Name}= takes the backend out of the network in which the proxy looks for {address}");
        }
    }
}
