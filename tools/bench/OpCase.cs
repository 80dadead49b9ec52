namespace Graphene.Bench;

/// <summary>A graph of one op or one small chain of ops.</summary>
/// <param name="Name">For the tables.</param>
/// <param name="Flops">Operations of one run; 0 where they are not what bounds it.</param>
/// <param name="Bytes">What one run must read and write at least.</param>
/// <param name="Inputs">Makes the values of the parameters.</param>
/// <param name="Build">Makes the result of the parameters.</param>
internal sealed record OpCase(
    string Name, double Flops, double Bytes, Func<Literal[]> Inputs, Func<GraphBuilder, Node[], Node> Build)
{
    /// <summary>The graph as a module with parameters x0, x1 ... and the result y.</summary>
    public Module ToModule() => ToModule(Inputs());

    /// <summary>The graph for values that <see cref="Inputs"/> made.</summary>
    public Module ToModule(Literal[] inputs)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. inputs.Select((x, i) => b.Parameter(i, x.Type))];
        Computation entry = b.Build("op", [Build(b, parameters)], []);
        return new Module(Name, entry, [.. inputs.Select((_, i) => $"x{i}")], ["y"], b.Provenance);
    }

    /// <summary>Numbers between -0.5 and 0.5, always the same.</summary>
    public static Literal Noise(params long[] dims) => Fill(dims, random => random.NextSingle() - 0.5f);

    /// <summary>Normally distributed numbers, always the same.</summary>
    public static Literal Normal(params long[] dims) => Fill(
        dims, random => MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle()));

    private static Literal Fill(long[] dims, Func<Random, float> next)
    {
        var random = new Random(1);
        var elements = new float[dims.Aggregate(1L, (n, d) => n * d)];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = next(random);
        }
        return Literal.From<float>(elements, dims);
    }
}
