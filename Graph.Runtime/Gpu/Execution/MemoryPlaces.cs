namespace Graphene.Runtime;

/// <summary>Where memory is that a run is given.</summary>
internal enum MemoryPlace : byte
{
    /// <summary>Memory of the host, of any kind.</summary>
    Host,

    /// <summary>Memory of the host that the device reaches by itself: see <see cref="GpuDevice.AllocateHost"/>.</summary>
    Pinned,

    /// <summary>Memory of the program's device.</summary>
    Device,
}

/// <summary>Where the inputs and outputs of a run are. Never changed, so that runs with the same one need not look again.</summary>
/// <param name="inputs">One for each input.</param>
/// <param name="outputs">One for each output.</param>
internal sealed class MemoryPlaces(MemoryPlace[] inputs, MemoryPlace[] outputs)
{
    /// <summary>Where an input is.</summary>
    public MemoryPlace Input(int input) => inputs[input];

    /// <summary>Where an output goes.</summary>
    public MemoryPlace Output(int output) => outputs[output];

    /// <summary>Everything in one place.</summary>
    public static MemoryPlaces All(MemoryPlace place, int inputs, int outputs)
    {
        var all = new MemoryPlaces(new MemoryPlace[inputs], new MemoryPlace[outputs]);
        all.Inputs.Fill(place);
        all.Outputs.Fill(place);
        return all;
    }

    /// <summary>The same but for one input.</summary>
    public MemoryPlaces WithInput(int input, MemoryPlace place)
    {
        var changed = new MemoryPlaces([.. inputs], [.. outputs]);
        changed.Inputs[input] = place;
        return changed;
    }

    /// <summary>The same but for one output.</summary>
    public MemoryPlaces WithOutput(int output, MemoryPlace place)
    {
        var changed = new MemoryPlaces([.. inputs], [.. outputs]);
        changed.Outputs[output] = place;
        return changed;
    }

    private Span<MemoryPlace> Inputs => inputs;

    private Span<MemoryPlace> Outputs => outputs;
}
