namespace Graphene.Runtime;

/// <summary>What an executable file holds: variants of the code, state, and signatures with a plan for each variant.</summary>
/// <remarks>
/// Plans are sections in the order of <see cref="Plans"/>: all variants of the first signature, then all of the next. A plan says
/// which objects its code is made of, by their numbers among all objects, so that equal ones are stored once. Constants are one
/// section that the buffers of all plans lie in.
/// </remarks>
internal sealed record FileIndex
{
    /// <summary>The name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>The build of the compiler.</summary>
    public string CompilerVersion { get; init; } = "";

    /// <summary>The processors and GPUs that there is code for, the best first.</summary>
    public required FileVariant[] Variants { get; init; }

    /// <summary>What runs leave for other runs.</summary>
    public required FileState[] States { get; init; }

    /// <summary>The functions.</summary>
    public required FileSignature[] Signatures { get; init; }

    /// <summary>The numbers of the objects of each plan.</summary>
    public required int[][] Plans { get; init; }

    /// <summary>The number of a plan.</summary>
    public int PlanOf(int signature, int variant) => (signature * Variants.Length) + variant;

    /// <summary>Says why it contradicts itself or the sections that there are; null when it does not.</summary>
    public string? Problem(int plans, int objects)
    {
        if (Variants.Length == 0 || Signatures.Length == 0)
        {
            return "it has no code";
        }
        if (Plans.Length != (long)Signatures.Length * Variants.Length || Plans.Length != plans)
        {
            return $"it has {plans} plans for {Signatures.Length} signatures and {Variants.Length} variants";
        }
        foreach (int[] numbers in Plans)
        {
            foreach (int number in numbers)
            {
                if (number < 0 || number >= objects)
                {
                    return $"it has no object {number}";
                }
            }
        }
        if (Signatures.Length > 1 && Repeated() is { } repeated)
        {
            return $"two signatures are called '{repeated}'";
        }
        foreach (FileSignature signature in Signatures)
        {
            foreach (StateUse use in signature.States)
            {
                if (use.State < 0 || use.State >= States.Length || use.Input < -1 || use.Output < -1)
                {
                    return $"signature '{signature.Name}' uses a state that it has not";
                }
            }
        }
        return null;
    }

    private string? Repeated() => PlanVerifier.Repeated(Signatures.Length, i => Signatures[i].Name);
}

/// <summary>A processor or GPU that there is code for.</summary>
/// <param name="Name">What people call it, for example <c>x86-64-v3</c>.</param>
/// <param name="TargetTriple">See <see cref="ExecutablePlan.TargetTriple"/>.</param>
/// <param name="CpuFeatures">See <see cref="ExecutablePlan.CpuFeatures"/>.</param>
internal sealed record FileVariant(string Name, string TargetTriple, string CpuFeatures);

/// <summary>A value that runs leave for other runs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, with a static shape.</param>
/// <param name="Initial">Where its first value lies among the constants; -1 for zeros.</param>
internal sealed record FileState(string Name, TensorType Type, long Initial);

/// <summary>One function.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">The hash of what it was compiled from, for those who look for that; may be empty.</param>
/// <param name="States">The inputs and outputs that are state.</param>
internal sealed record FileSignature(string Name, string Source, StateUse[] States);

/// <summary>How a function uses a state.</summary>
/// <param name="State">The number of the state.</param>
/// <param name="Input">The input that takes its value; -1 when it is not read.</param>
/// <param name="Output">The output that gives its next value; -1 when it is not assigned.</param>
internal sealed record StateUse(int State, int Input, int Output);
